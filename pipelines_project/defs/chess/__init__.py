"""chess.com: one component class, its YAML, and its marts."""
