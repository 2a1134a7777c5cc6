"""The Dagster code below the components: ops, assets, jobs, sensors and resources."""
