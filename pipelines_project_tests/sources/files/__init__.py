"""Tests of `sources/files/`."""
