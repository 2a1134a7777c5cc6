"""Tests of `orchestration/checks/`."""
