"""Tests of `warehouse/versions/`."""
