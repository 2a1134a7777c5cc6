"""The terminal: which rows its views have, what it leaves out, and that it is in nobody's way."""

import subprocess
import sys
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from pipelines_project.landing.zone import LandingZone
from pipelines_project.query.__main__ import banner, beginning
from pipelines_project.query.views import landed_tables, published_marts, statements
from pipelines_project.warehouse.database import Warehouse
from pipelines_project_tests.landings import land, place_of, write_load, write_quarantined


def _session(zone: LandingZone, published: Path) -> duckdb.DuckDBPyConnection:
    tables, _ = landed_tables(zone)
    connection = duckdb.connect()
    connection.execute(statements(tables, published_marts(published)))
    return connection


def test_a_view_has_the_rows_of_the_current_load_of_every_month(
    landing: LandingZone, tmp_path: Path
) -> None:
    write_load(place_of(landing, "2024-01"), "1.1", [[{"id": 1}]])
    write_load(place_of(landing, "2024-01"), "2.1", [[{"id": 2}], [{"id": 3}]])
    write_load(place_of(landing, "2024-02"), "3.1", [[{"id": 4, "more": "x"}]])
    write_load(place_of(landing, "2024-02"), "4.1", [[{"id": 5}]], committed=False)

    with _session(landing, tmp_path) as connection:
        rows = connection.execute("select month, id, more from demo.events order by id").fetchall()
        months = connection.execute("select month, rows, epoch(landed_at) from months").fetchall()

    assert rows == [("2024-01", 2, None), ("2024-01", 3, None), ("2024-02", 4, "x")]
    assert months == [("2024-01", 2, 2.1), ("2024-02", 1, 3.1)]


def test_a_column_month_of_the_source_is_called_as_in_the_warehouse(
    landing: LandingZone, tmp_path: Path
) -> None:
    write_load(place_of(landing), "1.1", [[{"month": "May", "file": "a"}]])

    with _session(landing, tmp_path) as connection:
        rows = connection.execute("select month, source_month, file from demo.events").fetchall()

    assert rows == [("2023-01", "May", "a")]


def test_refused_rows_are_no_rows_of_the_view(landing: LandingZone, tmp_path: Path) -> None:
    write_quarantined(place_of(landing), "1.1", [{"id": 1}], [{"line": "{"}])

    with _session(landing, tmp_path) as connection:
        assert connection.execute("from demo.events").fetchall() == [(1, "2023-01")]
        tables = connection.execute("select view_name from duckdb_views() where not internal")
        assert tables.fetchall() == [("events",)]


def test_a_damaged_month_is_left_out_and_named(landing: LandingZone, tmp_path: Path) -> None:
    write_load(place_of(landing, "2024-01"), "1.1")
    write_load(place_of(landing, "2024-02"), "2.1")
    [file] = Path(place_of(landing, "2024-02").path).glob("*.parquet")
    file.unlink()

    tables, wrong = landed_tables(landing)
    lines = [*banner(tables, [], wrong)]

    assert [[*table.loads] for table in tables] == [["2024-01"]]
    assert any(line.startswith("Left out:") and file.name in line for line in lines)


def test_the_queries_of_the_banner_can_be_run(landing: LandingZone, tmp_path: Path) -> None:
    write_load(place_of(landing, "2024-01"), "1.1")
    write_load(place_of(landing, "2024-02"), "2.1", [pa.table({"id": pa.array([], pa.int64())})])
    marts = tmp_path / "published" / "demo"
    marts.mkdir(parents=True)
    duckdb.sql("select 7 as n").write_parquet(str(marts / "numbers.parquet"))
    tables, wrong = landed_tables(landing)

    lines = banner(tables, published_marts(marts.parent), wrong)
    queries = [line for line in lines if line.startswith("  ")]

    assert len(queries) == 3
    with _session(landing, marts.parent) as connection:
        assert all(connection.execute(query).fetchall() for query in queries)
        assert connection.execute("from demo_marts.numbers").fetchall() == [(7,)]


@pytest.mark.stack
def test_the_terminal_answers_while_a_load_holds_the_warehouse(
    landing: LandingZone, warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    land(place_of(landing), [{"id": 1}, {"id": 2}])
    monkeypatch.setenv("LANDING_URL", landing.url)
    monkeypatch.setenv("WAREHOUSE_URL", warehouse.url)
    monkeypatch.setenv("PUBLISHED_URL", str(tmp_path))

    with warehouse.connect():
        done = subprocess.run(
            [sys.executable, "-m", "pipelines_project.query", "-csv"],
            input="select sum(id) from demo.events;",
            capture_output=True,
            text=True,
            check=True,
        )

    assert "Landed:    demo.events" in done.stdout
    assert done.stdout.splitlines()[-1] == "3"


def test_a_landing_zone_that_is_elsewhere_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANDING_URL", "memory://landing")

    with pytest.raises(ValueError, match="on this machine's disk"):
        beginning()
