"""A Dagster code location that lands API data by month with dlt and loads it with DuckDB."""
