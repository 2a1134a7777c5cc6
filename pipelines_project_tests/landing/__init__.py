"""Tests of `landing/`."""
