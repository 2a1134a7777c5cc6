"""Tests of the chess definitions."""
