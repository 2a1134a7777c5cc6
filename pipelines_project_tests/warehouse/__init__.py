"""Tests of `warehouse/`."""
