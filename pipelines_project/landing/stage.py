"""Staging a month: dlt writes its rows as parquet into a private folder of this machine."""

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dlt
import pyarrow as pa
import pyarrow.parquet
from dlt.common.destination import DestinationCapabilitiesContext
from dlt.common.destination.configuration import ParquetFormatConfiguration
from dlt.common.normalizers.naming import NamingConvention
from dlt.destinations import filesystem
from dlt.destinations.impl.filesystem.configuration import FilesystemDestinationClientConfiguration
from dlt.extract import DltResource

from pipelines_project.landing.landed_month import LandedMonth
from pipelines_project.names import quarantine_table
from pipelines_project.sources.column_names import NONE_CHOSEN, ColumnNames, origins_of
from pipelines_project.sources.column_origin import origins
from pipelines_project.sources.typed_rows import refuse_variants, typed
from pipelines_project.temporary import working_folder

# Its stubs know only a part of the types.
pq: Any = pyarrow.parquet

# A million events: 27 MB where snappy, dlt's default, makes 44, as fast to write and to load.
_COMPRESSION = "zstd"


@dataclass(frozen=True)
class StagedFile:
    """A parquet file of a load: its dlt table, its own id, where it is, what its footer tells."""

    table: str
    file_id: str
    path: Path
    rows: int
    schema: pa.Schema


@dataclass(frozen=True)
class Staged:
    """A load that is fetched and not yet published.

    Attributes:
        load_id: dlt's, a time in seconds since 1970 before the first request for its rows.
        files: of the month's table and its quarantine.
        schema: the dlt type of each column of the table.
        required: the columns that are never null.
        origins: the JSON pointers of each column of the table, as `origins_of` tells them.
    """

    load_id: str
    files: list[StagedFile]
    schema: Mapping[str, str]
    required: list[str]
    origins: Mapping[str, list[str]] = field(default_factory=dict[str, list[str]])


class _Folder(filesystem):
    """The folder of a staged month, whose capabilities depend on no setting.

    dlt asks for them seven times a month, and resolves its settings of the destination each time.
    """

    def capabilities(
        self,
        config: FilesystemDestinationClientConfiguration | None = None,
        naming: NamingConvention | None = None,
    ) -> DestinationCapabilitiesContext:
        bucket_url = self.config_params["bucket_url"]
        unresolved = FilesystemDestinationClientConfiguration(bucket_url=bucket_url)
        return super().capabilities(config or unresolved, naming)


@contextmanager
def staged(
    month: LandedMonth,
    resource: Callable[[], DltResource],
    column_names: ColumnNames = NONE_CHOSEN,
) -> Generator[Staged]:
    """Extract and normalize a month's rows, and delete the folder they are in afterwards.

    The pipeline has a name and a folder of its own, so any number of months, and of runs of one
    month, can be staged at once (dagster issue 21022, dlt issue 1102). It restores no dlt state:
    the partition is the cursor. dlt's load step is left out: it would copy the files that are
    there already, which takes a fifth of a small month's time.

    Args:
        month: which month.
        resource: makes the resource of its rows.
        column_names: the names of columns that the settings choose.

    Raises:
        dlt.pipeline.exceptions.PipelineStepFailed: a step failed; its causes say why.
    """
    # Rows have it anyhow; Arrow tables only if asked for.
    dlt.config["normalize.parquet_normalizer.add_dlt_load_id"] = True
    with working_folder() as folder:
        pipeline = dlt.pipeline(
            month.pipeline_name,
            pipelines_dir=folder,
            dataset_name=month.source,
            destination=_Folder(
                bucket_url=f"{folder}/landing",
                parquet_format=ParquetFormatConfiguration(compression=_COMPRESSION),
            ),
        )
        # Or dlt would extract and normalize its state as a table of its own.
        pipeline.config.restore_from_destination = False
        try:
            load_id = _extract(pipeline, typed(resource(), column_names))
            pipeline.normalize()
            schema = pipeline.default_schema
            refuse_variants(schema, month.table)
            columns = schema.get_table_columns(month.table)
            files = _files(pipeline, load_id, month.table)
            yield Staged(
                load_id,
                files,
                {name: str(column.get("data_type")) for name, column in columns.items()},
                [name for name, column in columns.items() if not column.get("nullable", True)],
                origins_of(_origins(files, month.table), column_names),
            )
        finally:
            if pipeline.is_active:
                pipeline.deactivate()


def _extract(pipeline: dlt.Pipeline, resource: DltResource) -> str:
    """Extract the resource, whose rows or tables bring their columns; return the load id."""
    extracted = pipeline.extract([resource], loader_file_format="parquet")
    (load_id,) = extracted.loads_ids
    return load_id


def _origins(files: Sequence[StagedFile], table: str) -> dict[str, str]:
    """Return the JSON pointer of each column of the table."""
    found: dict[str, str] = {}
    for file in files:
        if file.table == table:
            found |= origins(file.schema)
    return found


def _files(pipeline: dlt.Pipeline, load_id: str, table: str) -> list[StagedFile]:
    jobs = pipeline.get_load_package_info(load_id).jobs["new_jobs"]
    found = [(job.job_file_info, Path(job.file_path)) for job in jobs]
    return [
        staged_file(info.table_name, info.file_id, path)
        for info, path in found
        if info.table_name in (table, quarantine_table(table))
    ]


def staged_file(table: str, file_id: str, path: Path) -> StagedFile:
    """Return a parquet file of a load, whose footer is read once for all who need it."""
    footer = pq.read_metadata(path)
    return StagedFile(table, file_id, path, footer.num_rows, footer.schema.to_arrow_schema())
