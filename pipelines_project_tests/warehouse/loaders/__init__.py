"""Tests of `warehouse/loaders/`."""
