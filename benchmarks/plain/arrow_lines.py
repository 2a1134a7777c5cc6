"""JSON lines to parquet by dlt, fed with Arrow batches that DuckDB reads: a fast way by hand."""

from collections.abc import Iterator
from pathlib import Path

import dlt
import duckdb
import pyarrow as pa

_ROWS = 50_000


def land(raw: Path, folder: Path) -> None:
    """Read the lines of every month's files into the parquet files of one table."""

    @dlt.resource(name="events")
    def batches() -> Iterator[pa.RecordBatch]:
        with duckdb.connect() as connection:
            yield from connection.sql(
                f"from read_json('{raw}/*/*.jsonl', format = 'newline_delimited', sample_size = -1)"
            ).to_arrow_reader(_ROWS)

    pipeline = dlt.pipeline(
        "arrow_to_parquet",
        destination=dlt.destinations.filesystem(bucket_url=str(folder)),
        dataset_name="events",
        pipelines_dir=str(folder / "pipelines"),
    )
    pipeline.run(batches(), loader_file_format="parquet")
