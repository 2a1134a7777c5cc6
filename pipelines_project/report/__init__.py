"""The report: one page that shows what is landed, loaded and built. No Dagster."""
