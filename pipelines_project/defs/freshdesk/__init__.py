"""Freshdesk: one component class, its YAML, and its marts."""
