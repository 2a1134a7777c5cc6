"""Tests of `sources/sql/`."""
