"""The visits to the reading rooms of a library, from its API."""
