"""Tests of the documents that `dg scaffold defs` writes."""
