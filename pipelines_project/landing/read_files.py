"""Reading landed parquet files with DuckDB: all of a load as one relation, and its columns."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import duckdb
from fsspec.implementations.local import LocalFileSystem

from pipelines_project.landing.landed_month import LandedMonth, Load
from pipelines_project.landing.record import sha256_of
from pipelines_project.temporary import working_folder

READ_FILES = "read_parquet($files, union_by_name = true, hive_partitioning = false)"
"""The rows of the files that the parameter `files` names."""


def landed_types(connection: duckdb.DuckDBPyConnection, files: list[str]) -> dict[str, str]:
    """Return the type of each column of landed files."""
    landed = connection.read_parquet(files, union_by_name=True, hive_partitioning=False)
    types = map(str, landed.types)
    return dict(zip(landed.columns, ("VARCHAR" if t == "JSON" else t for t in types), strict=True))


@contextmanager
def readable(month: LandedMonth, load: Load) -> Generator[Load]:
    """Give the load with files that DuckDB can read, whose content is what was recorded.

    Files that are not on this machine are copied, with one request for up to 50 MB. They are read
    as a whole anyhow, to compare their content, and DuckDB would ask for them in many pieces.

    Raises:
        DamagedLoadError: a file has another content.
        FileNotFoundError: a file is gone.
    """
    if isinstance(month.fs, LocalFileSystem):
        month.check_content(load.record)
        yield load
        return
    with working_folder() as folder:
        paths = month.paths(load.record)
        copies = {path: Path(folder, f"{number}.parquet") for number, path in enumerate(paths)}
        for path, copy in copies.items():
            month.fs.get_file(path, str(copy))
        month.check_digests(load.record, {path: _sha256(copy) for path, copy in copies.items()})
        own, refused = month.own_and_refused(
            (str(copy), paths[path].table) for path, copy in copies.items()
        )
        yield replace(load, files=own, quarantined=refused)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return sha256_of(file)
