"""A document of `Files`: tables of several formats, landed, loaded, checked and watched."""

import os
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster.components.testing import create_defs_folder_sandbox

from pipelines_project.components.file_tables import FileTable
from pipelines_project.components.files import Files
from pipelines_project.landing.zone import LandingZone
from pipelines_project.months import month_of
from pipelines_project.warehouse.database import Warehouse
from pipelines_project_tests.code_location import Run, range_tags
from pipelines_project_tests.kept import empty_instance

_DOCUMENT = """
type: pipelines_project.components.Files
attributes:
  source: sales
  raw_url: "{{ env.SALES_RAW_URL }}"
  start_month: "2024-01"
  tables:
    - {name: receipts, files: "receipts/%Y-%m/*.csv", key: [id]}
    - {name: orders, files: orders.csv, month_column: day, on_bad_row: quarantine}
    - {name: shops, files: "shops.tsv", key: [id]}
"""
_OLD = (1_000_000_000, 1_000_000_000)
_THIS_MONTH = month_of(datetime.now(UTC))


@dataclass(frozen=True)
class Location:
    """The document as Dagster loads it, and where its data are."""

    defs: dg.Definitions
    instance: dg.DagsterInstance
    warehouse: Warehouse
    raw: Path

    def materialize(self, table: str, months: str) -> Run:
        """Materialize months of a table."""
        first, _, last = months.partition("...")
        result = self.defs.resolve_implicit_global_asset_job_def().execute_in_process(
            instance=self.instance,
            asset_selection=[dg.AssetKey([place, "sales", table]) for place in _PLACES],
            partition_key=first if not last else None,
            tags=range_tags(first, last) if last else None,
            raise_on_error=False,
        )
        return Run(result, self.instance)

    def tick(self, table: str, cursor: str | None = None) -> tuple[list[str], str | None]:
        """Return the months that a table's sensor asks for, and its cursor."""
        repository = self.defs.get_repository_def()
        sensor = repository.get_sensor_def(f"sales_{table}_changed_months")
        found: Any = sensor(dg.build_sensor_context(self.instance, cursor=cursor))
        return [request.partition_key for request in found.run_requests or []], found.cursor


_PLACES = ("landing", "warehouse")


@pytest.fixture
def location(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Location]:
    """The document, with files of two months."""
    raw = tmp_path / "raw"
    _write(raw, "receipts/2024-01/a.csv", "id,amount\n1,1.10\n2,2.50\n")
    _write(raw, "receipts/2024-02/a.csv", "id,amount\n3,1.10\n")
    _write(raw, "orders.csv", "id,day\n1,2024-01-05\n2,2024-02-01\n3,soon\n4,2024-02-02\n")
    _write(raw, "shops.tsv", "id\tname\n1\tNorth, old\n")
    monkeypatch.setenv("SALES_RAW_URL", str(raw))
    resources = {
        "landing": LandingZone(url=str(tmp_path / "landing")),
        "warehouse": Warehouse(url=str(tmp_path / "warehouse.duckdb")),
    }
    with create_defs_folder_sandbox() as sandbox, warnings.catch_warnings():
        # Dagster warns of what it does itself; loading a real project hides that.
        warnings.simplefilter("ignore")
        source = sandbox.defs_folder_path / "sales"
        source.mkdir()
        (source / "defs.yaml").write_text(_DOCUMENT)
        with sandbox.build_all_defs() as defs, empty_instance() as instance:
            merged = dg.Definitions.merge(defs, dg.Definitions(resources=resources))
            yield Location(merged, instance, resources["warehouse"], raw)


def _write(raw: Path, name: str, text: str) -> None:
    path = raw / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    os.utime(path, _OLD)


def test_a_folder_of_months_is_landed_and_loaded_with_every_check_green(
    location: Location,
) -> None:
    run = location.materialize("receipts", "2024-01...2024-02")

    assert run.result.success
    assert {name for name, check in run.checks().items() if not check.passed} == set()
    assert location.warehouse.rows(
        "select month, id, amount::varchar from sales.receipts order by id"
    ) == [("2024-01", 1, "1.10"), ("2024-01", 2, "2.50"), ("2024-02", 3, "1.10")]


@pytest.mark.stack
def test_one_file_of_all_months_is_split_and_every_line_is_accounted_for(
    location: Location,
) -> None:
    run = location.materialize("orders", "2024-01...2024-02")

    landed = run.materialized("landing/sales/orders")
    assert {month: said["lines_of_other_months"] for month, said in landed.items()} == {
        "2024-01": 2,
        "2024-02": 1,
    }
    assert {name for name, check in run.checks().items() if not check.passed} == {
        "no_lines_are_quarantined"
    }
    assert location.warehouse.rows("select month, id from sales.orders order by id") == [
        ("2024-01", 1),
        ("2024-02", 2),
        ("2024-02", 4),
    ]


@pytest.mark.stack
def test_a_file_without_months_is_a_snapshot_of_which_the_newest_is_kept(
    location: Location,
) -> None:
    assert location.materialize("shops", _THIS_MONTH).result.success
    _write(location.raw, "shops.tsv", "id\tname\n1\tNorth\n2\tSouth\n")
    run = location.materialize("shops", _THIS_MONTH)

    assert {name for name, check in run.checks().items() if not check.passed} == set()
    assert location.warehouse.rows("select id, name from sales.shops order by id") == [
        (1, "North"),
        (2, "South"),
    ]


def test_the_sensors_ask_for_what_changed(location: Location) -> None:
    ticks = {table: location.tick(table) for table in ("receipts", "orders", "shops")}
    assert {table: months for table, (months, _) in ticks.items()} == {
        "receipts": ["2024-01", "2024-02"],
        "orders": ["2024-01", "2024-02"],
        "shops": [_THIS_MONTH],
    }
    assert [location.tick(table, cursor)[0] for table, (_, cursor) in ticks.items()] == [[]] * 3

    _write(location.raw, "orders.csv", "id,day\n1,2024-01-05\n5,2024-03-01\n")
    _write(location.raw, "receipts/2024-02/b.csv", "id,amount\n4,1.10\n")

    assert location.tick("orders", ticks["orders"][1])[0] == ["2024-01", "2024-03"]
    assert location.tick("receipts", ticks["receipts"][1])[0] == ["2024-02"]


@pytest.mark.stack
def test_a_bad_file_leaves_the_month_as_it_was(location: Location) -> None:
    location.materialize("receipts", "2024-01")
    _write(location.raw, "receipts/2024-01/a.csv", "id,amount\n1,1.10\n2\n")

    run = location.materialize("receipts", "2024-01")

    assert "receipts/2024-01/a.csv line 3: 1 fields, not 2" in run.error
    assert location.warehouse.rows("select count(*) from sales.receipts") == [(2,)]


def _table(**attributes: Any) -> FileTable:
    return FileTable(**{"name": "receipts", "files": "receipts/%Y-%m/*.csv", **attributes})


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"files": "receipts/%Y/*.csv"}, r"files\n.*must name the month by %Y and %m"),
        ({"files": "../%Y-%m/*.csv"}, r"files\n.*leads out of RAW_URL"),
        ({"files": "receipts/%Y-%m/*"}, "files: .*set format to one of csv, tsv"),
        ({"files": "%Y-%m/*.zip", "format": "jsonl"}, "files: .*zip files, which are no JSON"),
        ({"types": {"day": "datum"}}, r"types\n.*day: 'datum' is no type: write text"),
        ({"delimiter": ";;"}, r"delimiter\n.*must be one character"),
        ({"encoding": "latin-x"}, r"encoding\n.*'latin-x' is no encoding"),
        ({"sheet": "A"}, "sheet is for excel files, and .* names csv"),
        ({"start_row": 0}, r"start_row\n.*must be at least 1"),
        ({"month_column": "day"}, "month_column is for files that hold several months"),
        ({"files": "all.jsonl", "month_column": "day"}, "month_column is for csv, tsv, parquet"),
        ({"files": "%Y-%m.xlsx", "range": "B3"}, r"range\n.*'B3' is no range"),
        ({"on_bad_row": "skip"}, "on_bad_row"),
        ({"contract": "none"}, "contract"),
    ],
)
def test_a_wrong_value_is_refused_by_name_with_what_would_be_right(
    table: dict[str, Any], said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        _table(**table)


def _files(raw: Path, *tables: FileTable) -> Files:
    return Files(source="sales", raw_url=str(raw), start_month="2024-01", tables=[*tables])


def test_two_tables_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="two tables have the name receipts"):
        _files(tmp_path, _table(), _table())


def test_json_lines_are_a_format_like_others(tmp_path: Path) -> None:
    source = _files(
        tmp_path, _table(files="%Y-%m/*.jsonl.gz"), _table(name="all", files="a.ndjson")
    )

    receipts, snapshot = source.monthly_tables()

    assert not receipts.is_snapshot
    assert snapshot.is_snapshot
