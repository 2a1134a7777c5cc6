"""Months of csv, parquet and Excel files landed for tests."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines_project.landing.accounting import accounted
from pipelines_project.landing.causes import root_cause
from pipelines_project.landing.land_month import land_month
from pipelines_project.landing.zone import LandingZone
from pipelines_project.sources.files.file_format import Format, format_of
from pipelines_project.sources.files.raw_files import RawFolder
from pipelines_project.sources.files.rows import file_rows
from pipelines_project.sources.files.settings import FileSettings

MONTH = "2024-01"


class LandedRows(NamedTuple):
    """A landed load: its rows without dlt's own columns, its quarantined lines, what is said."""

    rows: pa.Table
    quarantined: list[dict[str, Any]]
    details: Mapping[str, Any]
    schema: Mapping[str, str]

    def column(self, name: str) -> list[Any]:
        return self.rows[name].to_pylist()

    @property
    def types(self) -> dict[str, str]:
        return {field.name: str(field.type) for field in self.rows.schema}

    @property
    def refused(self) -> list[tuple[str, int, str, str]]:
        return [
            (bad["source_file"], bad["source_line"], bad["line"], bad["reason"])
            for bad in self.quarantined
        ]


class FileLander:
    """Writes raw files of the table `receipts` and lands months of them."""

    def __init__(self, folder: Path) -> None:
        self.raw = folder / "raw"
        self.raw.mkdir(exist_ok=True)
        self.zone = LandingZone(str(folder / "landing"))

    def write(self, data: bytes | str, name: str = "a.csv", month: str = MONTH) -> Path:
        """Write one file of a month."""
        path = self.raw / month / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        return path

    def land(
        self,
        files: str = "%Y-%m/*.csv",
        month: str = MONTH,
        before: Mapping[str, str] | None = None,
        stated: Format | None = None,
        url: str | None = None,
        **settings: Any,
    ) -> LandedRows:
        """Land the month as the project does."""
        folder = RawFolder(url or str(self.raw), files)
        chosen = FileSettings("receipts", folder, format_of(files, stated), **settings)
        place = self.zone.month("sales", "receipts", month)
        landed = land_month(
            place,
            lambda month, fetch: file_rows(chosen, month, lambda: before or {}, fetch),
            accounted,
            allow_shrink=True,
        )
        load = place.current_files()
        assert load
        tables: dict[str, list[pa.Table]] = {}
        for path, file in place.paths(load.record).items():
            tables.setdefault(file.table, []).append(pq.ParquetFile(path).read())
        rows = pa.concat_tables(tables["receipts"])
        assert set(rows["_dlt_load_id"].to_pylist()) <= {load.load_id}
        refused = [
            row for table in tables.get("receipts_quarantine", []) for row in table.to_pylist()
        ]
        return LandedRows(rows.drop(["_dlt_load_id"]), refused, landed.details, landed.schema)

    def error(self, *arguments: Any, **settings: Any) -> str:
        """Return why the month does not land; what was landed must be as it was."""
        place = self.zone.month("sales", "receipts", settings.get("month", MONTH))
        before = place.current_load()
        try:
            self.land(*arguments, **settings)
        except Exception as error:
            assert place.current_load() == before
            return f"{type(root_cause(error)).__name__}: {root_cause(error)}"
        raise AssertionError("it landed")
