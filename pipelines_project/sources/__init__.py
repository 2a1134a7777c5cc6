"""The dlt sources: fetching and paging only, with no import of Dagster."""
