"""Tests of `query/`."""
