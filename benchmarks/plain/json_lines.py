"""JSON lines to parquet and on to DuckDB, as dlt's documentation has it."""

from pathlib import Path

import dlt
from dlt.sources.filesystem import filesystem, read_jsonl, read_parquet


def land(raw: Path, folder: Path) -> None:
    """Read the lines of every month's files into the parquet files of one table."""
    pipeline = dlt.pipeline(
        "plain_to_parquet",
        destination=dlt.destinations.filesystem(bucket_url=str(folder)),
        dataset_name="events",
        pipelines_dir=str(folder / "pipelines"),
    )
    lines = filesystem(bucket_url=str(raw), file_glob="*/*.jsonl") | read_jsonl()
    pipeline.run(lines.with_name("events"), loader_file_format="parquet")


def load(parquet: str, folder: Path) -> None:
    """Read the parquet files of a folder into one table of a DuckDB file."""
    pipeline = dlt.pipeline(
        "plain_to_duckdb",
        destination=dlt.destinations.duckdb(str(folder / "plain.duckdb")),
        dataset_name="events",
        pipelines_dir=str(folder / "pipelines"),
    )
    rows = filesystem(bucket_url=parquet, file_glob="**/*.parquet") | read_parquet()
    pipeline.run(rows.with_name("events"))
