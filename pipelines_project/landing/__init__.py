"""The landing zone: where a month lives, how it is landed, restored and tidied. No Dagster."""
