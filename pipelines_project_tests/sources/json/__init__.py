"""Tests of `sources/json/`."""
