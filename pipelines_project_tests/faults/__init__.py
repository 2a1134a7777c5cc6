"""Tests that try to lose a month: crashes, overlaps, storage that fails, hostile input."""
