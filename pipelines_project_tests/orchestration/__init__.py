"""Tests of `orchestration/`."""
