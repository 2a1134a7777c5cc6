"""Removing a person's rows from landing zone, warehouse and marts. No Dagster."""
