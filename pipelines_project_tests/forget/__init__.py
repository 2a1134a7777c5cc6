"""Tests of `forget/`."""
