"""Scripts as a user would write them from dlt's documentation, without this project."""
