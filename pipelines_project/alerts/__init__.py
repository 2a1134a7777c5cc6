"""Telling people what has failed: what an alert says, and the ways that it takes."""
