"""Tests of `sources/freshdesk/`."""
