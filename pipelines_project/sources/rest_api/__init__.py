"""Any REST API, described by dlt's `rest_api` configuration and fetched month by month."""
