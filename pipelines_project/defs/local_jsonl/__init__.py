"""Local JSON lines files: one component class, and its YAML, one document for each table."""
