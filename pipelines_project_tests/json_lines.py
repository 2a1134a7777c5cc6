"""Months of JSON lines landed for tests, and what must have become of every line."""

import json
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines_project.landing.accounting import accounted
from pipelines_project.landing.land_month import land_month
from pipelines_project.landing.zone import LandingZone
from pipelines_project.sources.column_origin import origins
from pipelines_project.sources.files.json_lines import json_lines
from pipelines_project.sources.files.raw_files import RawFolder
from pipelines_project.sources.files.settings import JsonlSettings

MONTH = "2024-01"
TEMPLATE = "events/%Y-%m/*"


class LandedLines(NamedTuple):
    """A landed load: what is said of it, its rows and its quarantined lines, in their order."""

    load_id: str
    details: Mapping[str, Any]
    rows: pa.Table
    quarantined: list[dict[str, Any]]

    def column(self, name: str) -> list[Any]:
        return self.rows[name].to_pylist()

    @property
    def reasons(self) -> dict[int, str]:
        return {line["source_line"]: line["reason"] for line in self.quarantined}


def write_lines(raw: Path, data: bytes | str, name: str = "a.jsonl", month: str = MONTH) -> Path:
    """Write one raw file of a month."""
    path = raw / "events" / month / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def land_lines(
    zone: LandingZone,
    raw: str | Path,
    month: str = MONTH,
    before: Mapping[str, str] | None = None,
    allow_shrink: bool = False,
    **settings: Any,
) -> LandedLines:
    """Land the month's files by dlt, as the project does, and return what is landed."""
    chosen = JsonlSettings("events", RawFolder(str(raw), TEMPLATE), **settings)
    place = zone.month("local_jsonl", "events", month)
    landed = land_month(
        place,
        lambda month, fetch: json_lines(chosen, month, lambda: before or {}, fetch),
        accounted,
        allow_shrink=allow_shrink,
    )
    return landed_lines(zone, month, landed.details)


def landed_lines(
    zone: LandingZone, month: str = MONTH, details: Mapping[str, Any] | None = None
) -> LandedLines:
    """Return what is landed of a month."""
    place = zone.month("local_jsonl", "events", month)
    load = place.current_files()
    assert load
    tables: dict[str, list[pa.Table]] = {}
    for path, file in place.paths(load.record).items():
        tables.setdefault(file.table, []).append(_table(zone, path))
    own, refused = tables["events"], tables.get("events_quarantine", [])
    quarantined = [row for table in refused for row in table.to_pylist()]
    return LandedLines(load.load_id, details or {}, pa.concat_tables(own), quarantined)


def _table(zone: LandingZone, path: str) -> pa.Table:
    with zone.fs.open(path, "rb") as file:
        return pq.ParquetFile(file).read()


def lines_of(data: bytes) -> dict[int, bytes]:
    """Return the lines of a file by number, told by rules written down a second time."""
    data = data.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n")
    separator = b"\r" if b"\r" in data and b"\n" not in data else b"\n"
    lines = enumerate(data.split(separator), 1)
    return {number: line for number, line in lines if line.strip(b" \t\n\v\f\r")}


def assert_every_line_is_there(landed: LandedLines, files: Mapping[str, bytes]) -> None:
    """Fail unless each line of the files is one row with its values, or quarantined as it is.

    Args:
        landed: with provenance.
        files: the content of each file, by its path below the root.
    """
    lines = {(path, n): line for path, data in files.items() for n, line in lines_of(data).items()}
    rows = {(row["source_file"], row["source_line"]): row for row in landed.rows.to_pylist()}
    refused = {(row["source_file"], row["source_line"]): row for row in landed.quarantined}
    assert len(rows) + len(refused) == len(landed.rows) + len(landed.quarantined) == len(lines)
    assert rows.keys() | refused.keys() == lines.keys()
    for place, row in refused.items():
        assert (row["line_bytes"] or row["line"].encode()) == lines[place]
        assert row["reason"]
    paths = _paths(landed.rows.schema)
    for place, row in rows.items():
        expected = json.loads(lines[place], parse_float=Decimal, parse_int=Decimal)
        _assert_holds(row, paths, (), expected)


def _paths(schema: pa.Schema) -> dict[tuple[str, ...], str]:
    """Return the column of each path, by what the schema says of its fields."""
    pointers = origins(schema)
    return {
        tuple(part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]): name
        for name, pointer in pointers.items()
    }


def _assert_holds(
    row: Mapping[str, Any], paths: Mapping[tuple[str, ...], str], path: tuple[str, ...], value: Any
) -> None:
    """Fail unless the row holds the value, which a JSON document has at the path."""
    if path in paths:
        landed = row[paths[path]]
        assert _is_same(landed, value), f"{path}: {value!r} became {landed!r}"
    elif isinstance(value, dict):
        for key, inner in value.items():
            _assert_holds(row, paths, (*path, key), inner)
    else:
        assert value is None, f"{path}: {value!r} is in no column"


def _is_same(landed: Any, value: Any) -> bool:
    if value is None or isinstance(value, bool):
        return landed == (None if value is None else value) or landed == json.dumps(value)
    if isinstance(value, dict | list):
        again = json.loads(landed, parse_float=Decimal, parse_int=Decimal)
        return _plain(again) == _plain(value)
    if isinstance(value, Decimal):
        if value.is_nan():
            return str(landed).lower() == "nan"
        return Decimal(repr(landed) if isinstance(landed, float) else landed) == value
    return landed == value


def _plain(value: Any) -> Any:
    """Return a JSON value with its numbers as text, as long ones are inside of lists."""
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    if isinstance(value, str | Decimal):
        try:
            return Decimal(value).normalize()
        except ArithmeticError:
            return value
    return value


def jsonl(*rows: Any) -> str:
    """Return rows as JSON lines."""
    return "".join(f"{json.dumps(row)}\n" for row in rows)


def numbered(rows: Iterable[Any]) -> Iterator[tuple[int, Any]]:
    """Yield rows with the numbers of their lines."""
    return enumerate(rows, 1)
