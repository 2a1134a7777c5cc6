"""Tests of `sources/http/`."""
