"""Forgetting in merged tables and in tables of lines; chess is in `test_forget_job`."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from pipelines_project.components.files import LocalJsonlSource
from pipelines_project.components.freshdesk import FreshdeskSource
from pipelines_project.forget.forgetting import (
    BuiltAnew,
    Forgetting,
    LandedAnew,
    LoadedAnew,
    UnknownColumnError,
)
from pipelines_project.landing.zone import LandingZone
from pipelines_project.marts.build import build
from pipelines_project.marts.mart import Mart
from pipelines_project.marts.model import parse_model
from pipelines_project.sources.freshdesk.columns import columns
from pipelines_project.table import Table
from pipelines_project.warehouse.database import Warehouse
from pipelines_project.warehouse.load_month import load_month
from pipelines_project.warehouse.loaders.merge_month import missing_rows
from pipelines_project_tests.databases import tables_of, warehouse_files
from pipelines_project_tests.json_lines import MONTH, jsonl, land_lines, write_lines
from pipelines_project_tests.landings import land

pytestmark = pytest.mark.every_warehouse

JANUARY, FEBRUARY = "2024-01", "2024-02"


def _ticket(number: int, requester: int, month: str = JANUARY) -> dict[str, Any]:
    return {"id": number, "requester_id": requester, "updated_at": f"{month}-10T00:00:00Z"}


def _tables() -> tuple[Table, Table]:
    component = FreshdeskSource(domain="acme", start_month=JANUARY)
    tickets, contacts = (t for t in component.monthly_tables() if t.name in ("tickets", "contacts"))
    return tickets, contacts


def _load(landing: LandingZone, warehouse: Warehouse, table: Table, *months: str) -> list[bool]:
    """Load the months, and tell which of them the warehouse had."""
    with warehouse.connect() as connection:
        return [
            load_month(connection, table.month(landing, month), table.loader).skipped
            for month in months
        ]


def _ids(warehouse: Warehouse, table: str) -> list[int]:
    return [number for (number,) in warehouse.rows(f"select id from {table} order by id")]


def _forget(forgetting: Forgetting) -> list[tuple[str, str]]:
    """Forget, and return what was landed, loaded and built anew, in its order."""
    done: list[tuple[str, str]] = []
    for anew in forgetting.forget():
        match anew:
            case LandedAnew(table, month):
                done.append((f"landed {table.name}", month))
            case LoadedAnew(table, month):
                done.append((f"loaded {table.name}", month))
            case BuiltAnew(mart):
                done.append((f"built {mart.name}", ""))
    assert forgetting.look() == {}
    return done


def _land(landing: LandingZone, table: Table, month: str, rows: Sequence[dict[str, Any]]) -> None:
    land(table.month(landing, month), rows, columns(table.name))


@pytest.mark.stack
def test_a_requesters_tickets_and_contact_go_in_every_month_that_has_a_version(
    landing: LandingZone, warehouse: Warehouse
) -> None:
    tickets, contacts = _tables()
    _land(landing, tickets, JANUARY, [_ticket(1, 7), _ticket(2, 8), _ticket(7, 8)])
    # A ticket that has moved on, one of another contact's, and one that was never loaded.
    _land(landing, tickets, FEBRUARY, [_ticket(1, 7, FEBRUARY), _ticket(3, 8, FEBRUARY)])
    _land(landing, tickets, "2024-03", [_ticket(4, 7, "2024-03")])
    _land(landing, contacts, JANUARY, [_ticket(7, 0), _ticket(8, 0)])
    _load(landing, warehouse, tickets, JANUARY, FEBRUARY)
    _load(landing, warehouse, contacts, JANUARY)
    forgetting = Forgetting("7", landing, warehouse, [tickets, contacts], [])
    assert forgetting.look() == {
        "tickets 2024-01": {"current load": 1},
        "tickets 2024-02": {"current load": 1, "warehouse": 1},
        "tickets 2024-03": {"current load": 1},
        "contacts 2024-01": {"current load": 1, "warehouse": 1},
    }

    events = _forget(forgetting)

    assert events[:5] == [
        ("landed tickets", JANUARY),
        ("landed tickets", FEBRUARY),
        ("landed tickets", "2024-03"),
        ("loaded tickets", JANUARY),
        ("loaded tickets", FEBRUARY),
    ]
    assert _ids(warehouse, "freshdesk.tickets") == [2, 3, 7]
    assert _ids(warehouse, "freshdesk.contacts") == [8]
    assert _load(landing, warehouse, tickets, JANUARY, FEBRUARY) == [True, True]
    with warehouse.connect() as connection:
        for month in (JANUARY, FEBRUARY):
            load = landing.month("freshdesk", "tickets", month).current_files()
            assert load
            place = tickets.month(landing, month)
            assert missing_rows(connection, place, load.files, "id") == (0, None)
    assert _forget(forgetting) == []


@pytest.mark.stack
@pytest.mark.parametrize("others", [0, 10, 100_000])
def test_what_is_deleted_is_no_longer_in_the_files_of_the_warehouse(
    landing: LandingZone, warehouse: Warehouse, tmp_path: Path, others: int
) -> None:
    name = b"someone-whose-name-is-seen-in-the-files"
    component = LocalJsonlSource(
        name="events",
        description="",
        files="%Y-%m/*.jsonl",
        raw_url=str(tmp_path),
        start_month=MONTH,
        subject="who",
    )
    [table] = component.monthly_tables()
    ours = pa.table({"who": [f"other {number % 100}" for number in range(others)]})
    land(table.month(landing, MONTH), [pa.table({"who": [name.decode()] * 50}), ours])
    _load(landing, warehouse, table, MONTH)
    assert any(name in content for content in warehouse_files(warehouse))

    _forget(Forgetting(name.decode(), landing, warehouse, [table], []))

    assert not any(name in content for content in warehouse_files(warehouse))
    assert warehouse.rows("select count(*) from local_jsonl.events") == [(others,)]
    assert tables_of(warehouse) == [("ledger", "loads"), ("local_jsonl", "events")]


@pytest.mark.stack
def test_rows_that_only_the_warehouse_has_go_too(
    landing: LandingZone, warehouse: Warehouse
) -> None:
    tickets, _ = _tables()
    _land(landing, tickets, JANUARY, [_ticket(1, 7), _ticket(2, 8)])
    _load(landing, warehouse, tickets, JANUARY)
    _land(landing, tickets, JANUARY, [_ticket(2, 8)])
    place = tickets.month(landing, JANUARY)
    place.delete(place.stale_files())
    assert len(place.listing().committed) == 1

    _forget(Forgetting("7", landing, warehouse, [tickets], []))

    assert _ids(warehouse, "freshdesk.tickets") == [2]
    assert _load(landing, warehouse, tickets, JANUARY) == [True]


@pytest.fixture
def lines(landing: LandingZone, tmp_path: Path) -> LocalJsonlSource:
    """A landed month of lines, one of which is quarantined, and its component."""
    good = jsonl({"id": 1, "who": {"name": "them"}}, {"id": 2, "who": {"name": "us"}})
    write_lines(tmp_path, good + '{"who": {"name": "them"\n{"who": {"name": "us"\n')
    land_lines(landing, tmp_path, on_bad_line="quarantine")
    return LocalJsonlSource(
        name="events",
        description="",
        files="%Y-%m/*.jsonl",
        raw_url=str(tmp_path),
        start_month=MONTH,
        subject="who__name",
    )


@pytest.mark.stack
def test_lines_are_forgotten_by_the_column_that_the_settings_name(
    landing: LandingZone, warehouse: Warehouse, lines: LocalJsonlSource
) -> None:
    [table] = lines.monthly_tables()
    _load(landing, warehouse, table, MONTH)
    forgetting = Forgetting("them", landing, warehouse, [table], [])
    forgetting.check_columns()
    in_landing = {"current load": 1, "quarantine": 1}
    in_warehouse = {"warehouse": 1, "warehouse quarantine": 1}
    assert forgetting.look() == {f"events {MONTH}": in_landing | in_warehouse}

    _forget(forgetting)

    assert forgetting.look() == {}
    assert _ids(warehouse, "local_jsonl.events") == [2]
    assert _load(landing, warehouse, table, MONTH) == [True]


def _published(
    landing: LandingZone, warehouse: Warehouse, lines: LocalJsonlSource, folder: Path
) -> tuple[Warehouse, Table, Mart]:
    """Load a month that names the person, and publish a mart over it."""
    publishing = replace(warehouse, published_url=str(folder / "published"))
    [table] = lines.monthly_tables()
    _load(landing, publishing, table, MONTH)
    model = folder / "people.sql"
    model.write_text("select who__name from local_jsonl.events")
    mart = Mart("local_jsonl", parse_model(model))
    build(publishing, mart)
    return publishing, table, mart


@pytest.mark.stack
def test_a_published_mart_has_no_row_of_the_person_any_more(
    landing: LandingZone, warehouse: Warehouse, lines: LocalJsonlSource, tmp_path: Path
) -> None:
    publishing, table, mart = _published(landing, warehouse, lines, tmp_path)
    file = tmp_path / "published" / "local_jsonl" / "people.parquet"
    forgetting = Forgetting("them", landing, publishing, [table], [mart])
    assert forgetting.look()["local_jsonl_marts.people"] == {"rows": 1, "published": 1}

    _forget(forgetting)

    assert duckdb.read_parquet(str(file)).fetchall() == [("us",)]
    assert [each.name for each in file.parent.iterdir()] == [file.name]


@pytest.mark.stack
def test_the_file_of_a_mart_that_the_warehouse_has_not_goes(
    landing: LandingZone, warehouse: Warehouse, lines: LocalJsonlSource, tmp_path: Path
) -> None:
    publishing, table, mart = _published(landing, warehouse, lines, tmp_path)
    with publishing.connect() as connection:
        connection.execute(f"drop table {mart.table}")
    forgetting = Forgetting("them", landing, publishing, [table], [mart])
    assert forgetting.look()["local_jsonl_marts.people"] == {"rows": 0, "published": 1}

    _forget(forgetting)

    assert not [*(tmp_path / "published" / "local_jsonl").iterdir()]


def test_a_column_that_no_month_has_is_refused(
    landing: LandingZone, warehouse: Warehouse, lines: LocalJsonlSource
) -> None:
    [table] = lines.model_copy(update={"subject": "whom"}).monthly_tables()

    with pytest.raises(UnknownColumnError, match="events has a column 'whom'"):
        Forgetting("them", landing, warehouse, [table], []).check_columns()


@pytest.mark.stack
def test_every_version_of_a_persons_rows_goes_from_a_table_with_history(
    landing: LandingZone, warehouse: Warehouse, tmp_path: Path
) -> None:
    component = LocalJsonlSource(
        name="events",
        description="",
        files="%Y-%m/*.jsonl",
        raw_url=str(tmp_path),
        start_month=JANUARY,
        key=["id"],
        subject="who",
        loader="history",
        whole_months=True,
    )
    [table] = component.monthly_tables()
    stated = {
        JANUARY: [{"id": 1, "who": "a"}, {"id": 2, "who": "b"}, {"id": 3, "who": "a"}],
        FEBRUARY: [{"id": 1, "who": "b"}, {"id": 2, "who": "b"}],
        "2024-03": [{"id": 1, "who": "b"}, {"id": 2, "who": "a"}],
    }
    for month, rows in stated.items():
        land(table.month(landing, month), rows)
    _load(landing, warehouse, table, *stated)

    _forget(Forgetting("a", landing, warehouse, [table], []))

    versions = "select id, who, month, until_month from local_jsonl.events order by id, month"
    assert warehouse.rows(versions) == [(1, "b", FEBRUARY, None), (2, "b", JANUARY, "2024-03")]
    assert _load(landing, warehouse, table, *stated) == [True] * 3
