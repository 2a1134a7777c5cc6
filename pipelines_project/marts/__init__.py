"""SQL models: parsing one, and building its table. No Dagster."""
