"""Reading landed parquet files with DuckDB: all of a load as one relation, and its columns."""

import duckdb

READ_FILES = "read_parquet($files, union_by_name = true, hive_partitioning = false)"
"""The rows of the files that the parameter `files` names."""

ADDED_BY_DLT = ("_dlt_id", "_dlt_load_id")
"""The columns of a landed row that differ in each load of it."""


def landed_types(connection: duckdb.DuckDBPyConnection, files: list[str]) -> dict[str, str]:
    """Return the type of each column of landed files."""
    landed = connection.read_parquet(files, union_by_name=True, hive_partitioning=False)
    types = map(str, landed.types)
    return dict(zip(landed.columns, ("VARCHAR" if t == "JSON" else t for t in types), strict=True))
