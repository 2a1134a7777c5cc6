"""Tests of `sources/chess/`."""
