"""`make query`: DuckDB in the terminal over what is landed and published."""
