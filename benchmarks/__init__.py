"""Measurements that the README quotes; no test depends on them."""
