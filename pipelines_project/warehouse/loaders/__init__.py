"""How the rows of a load enter a table: one module for each loader."""
