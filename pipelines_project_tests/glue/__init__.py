"""Tests of what Athena reads."""
