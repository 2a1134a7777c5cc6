"""Tests of `marts/`."""
