"""Landing one month: fetch it, decide whether it may replace what is there, commit it."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import dlt
import duckdb
import requests
from dagster_dlt import DagsterDltResource
from dlt.common.exceptions import DltException
from dlt.common.pipeline import LoadInfo
from dlt.common.storages.load_package import ParsedLoadJobFileName
from dlt.extract import DltResource
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception,
    stop_after_attempt,
    wait_fixed,
)

from pipelines_project.landing.month_folder import MonthFolder
from pipelines_project.landing.record import LoadRecord, RecordedFile, recorded_file, write_record
from pipelines_project.landing.unchanged import unchanged_load
from pipelines_project.landing.zone import LandingError, LandingZone, LostFilesError
from pipelines_project.sources.comparable import Comparable
from pipelines_project.sources.rows import quarantine_table
from pipelines_project.sources.typed_rows import refuse_variants, typed

CLOCK_WAIT_SECONDS = 5.0

Verify = Callable[[list[str]], dict[str, Any]]
"""Given the new load's files before they are committed: raises, or returns metadata about them."""


@dataclass(frozen=True)
class Landing:
    """How one month is landed: from which resource, to which place, on whose judgement."""

    zone: LandingZone
    place: MonthFolder
    extract: Callable[[str], DltResource]
    verify: Verify
    land_unchanged: bool = True

    def land(self) -> dict[str, Any]:
        """Land the month and return the metadata of its materialization.

        Without `land_unchanged`, a month whose rows would be the same keeps its current load.
        Otherwise the order is extract, normalize, verify, record, load, so that the marker, which
        makes the load current, is written after the decision that it may be, and after its record.

        Raises:
            LandingError: this machine's clock is behind the current load's.
            dlt.pipeline.exceptions.PipelineStepFailed: a step failed; its causes say why.
        """
        started, place = time.monotonic(), self.place
        if not self.land_unchanged and (record := unchanged_load(place, self.extract)):
            return _not_modified(record, place.table)
        self._wait_for_clock()
        with self.zone.pipeline(place.source, place.table, place.month) as pipeline:
            resource = self.extract(place.month)
            load_id = self._extract(pipeline, resource)
            normalized = pipeline.normalize()
            refuse_variants(pipeline.default_schema, place.table)
            jobs = _new_files(pipeline, load_id, place.table)
            verified = self.verify([*jobs])
            place.make_dataset()
            files = [_recorded(load_id, path, job) for path, job in jobs.items()]
            version = pipeline.default_schema.stored_version_hash
            fetched = self.extract.fetched() if isinstance(self.extract, Comparable) else {}
            write_record(place, LoadRecord(load_id, version, files, fetched))
            info = self._load(pipeline, version)
            schema = _column_schema(pipeline, resource, info)
        return {
            "dagster/partition_row_count": normalized.row_counts.get(place.table, 0),
            "files": len(files),
            "bytes": sum(file.bytes for file in files),
            "load_id": load_id,
            "dagster/column_schema": schema,
            **verified,
            **self._withdraw_if_superseded(load_id, files),
            "seconds": round(time.monotonic() - started, 3),
        }

    def _extract(self, pipeline: dlt.Pipeline, resource: DltResource) -> str:
        """Extract the resource's rows with one type a column; return the load id."""
        extracted = pipeline.extract([typed(resource)], loader_file_format="parquet")
        (load_id,) = extracted.loads_ids
        return load_id

    def _load(self, pipeline: dlt.Pipeline, version_hash: str) -> LoadInfo:
        """Load the package, also where dlt finds a file of its own that is cut off or gone by now.

        Another run may be writing or deleting it, which takes a moment, or was killed in it.
        """

        def mend(state: RetryCallState) -> None:
            if state.attempt_number > 1:
                self.place.delete_cut_off_schema_files(version_hash)

        attempts = Retrying(
            stop=stop_after_attempt(5),
            wait=wait_fixed(0.1),
            retry=retry_if_exception(_is_unreadable_file),
            before=mend,
            reraise=True,
        )
        return attempts(pipeline.load)

    def _wait_for_clock(self) -> None:
        """Wait until a new load id would be later than the current one's.

        Load ids are times. A machine whose clock is behind would land a load that nobody reads.
        """
        current = next(iter(self.place.committed_loads()), None)
        ahead = float(current or 0) - time.time()
        if ahead > CLOCK_WAIT_SECONDS:
            raise LandingError(
                f"the current load {current} of {self.place} was landed at "
                f"{_clock(float(current or 0))} by the clock of its machine, and this machine's "
                f"clock says {_clock(time.time())}. Set the clock that is wrong; if it was the "
                f"other one, delete that load with the run config discard_load_id: '{current}' of "
                "the op delete_stale_files"
            )
        if ahead >= 0:
            time.sleep(ahead + 0.001)

    def _withdraw_if_superseded(self, load_id: str, files: list[RecordedFile]) -> dict[str, Any]:
        """Remove what this run landed if a newer load was committed in the meantime.

        Raises:
            LostFilesError: the load is current and not whole, and was removed. A newer load was
                there for a while, so that another run took this one's files for stale.
        """
        newest, paths = self.place.committed_loads()[0], self.place.files_of_load(load_id)
        if newest != load_id:
            self.zone.delete(paths)
            return {"superseded": True, "superseded_by": newest}
        names = {path.rsplit("/", 1)[-1] for path in paths}
        if lost := [file.name for file in files if file.name not in names]:
            self.zone.delete(paths)
            raise LostFilesError(f"another run deleted {', '.join(lost)} of {self.place}")
        return {}


def _not_modified(record: LoadRecord, table: str) -> dict[str, Any]:
    """Return the metadata of a month whose current load stays."""
    return {
        "dagster/partition_row_count": record.rows_of(table),
        "files": len(record.files),
        "bytes": sum(file.bytes for file in record.files),
        "load_id": record.load_id,
        "not_modified": True,
    }


def _clock(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


def _new_files(
    pipeline: dlt.Pipeline, load_id: str, table: str
) -> dict[str, ParsedLoadJobFileName]:
    """Return the local path of each of the load's data files, with what its name tells."""
    jobs = pipeline.get_load_package_info(load_id).jobs["new_jobs"]
    tables = (table, quarantine_table(table))
    files = {job.file_path: job.job_file_info for job in jobs}
    return {path: info for path, info in files.items() if info.table_name in tables}


def _recorded(load_id: str, path: str, file: ParsedLoadJobFileName) -> RecordedFile:
    # Under this name the layout of `LandingZone.pipeline` stores it.
    name = f"{load_id}.{file.file_id}.{file.file_format}"
    return recorded_file(file.table_name, name, Path(path))


def _column_schema(pipeline: dlt.Pipeline, resource: DltResource, info: LoadInfo) -> dg.TableSchema:
    context: Any = None
    metadata = DagsterDltResource().extract_resource_metadata(context, resource, info, pipeline)
    return metadata["dagster/column_schema"]


def is_passing_fault(error: BaseException) -> bool:
    """Tell whether landing the month again may help.

    A fault of the storage, a body that broke off, or another run's deleting may pass. The HTTP
    session has tried lost connections and bad statuses again already, and a `SourceError` says that
    trying is no use.
    """
    cause = root_cause(error)
    if isinstance(cause, requests.RequestException):
        return isinstance(cause, requests.exceptions.InvalidJSONError)
    return isinstance(cause, OSError | duckdb.IOException | LostFilesError)


def _is_unreadable_file(error: BaseException) -> bool:
    return isinstance(root_cause(error), json.JSONDecodeError | FileNotFoundError)


def root_cause(error: BaseException) -> BaseException:
    """Return the error that dlt's own ones were raised from; what it was raised from tells less."""
    chain = [error, *_causes(error)]
    return next((each for each in chain if not isinstance(each, DltException)), chain[-1])


def _causes(error: BaseException) -> Iterator[BaseException]:
    while error.__cause__ is not None:
        error = error.__cause__
        yield error
