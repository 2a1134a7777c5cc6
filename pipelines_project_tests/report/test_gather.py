"""What the report gathers: what became of each month, and whose rows it never shows."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipelines_project.components.files import LocalJsonlSource
from pipelines_project.landing.zone import LandingZone
from pipelines_project.marts.build import build
from pipelines_project.marts.mart import Mart
from pipelines_project.marts.model import parse_model
from pipelines_project.months import month_of, previous_month
from pipelines_project.report.concerns import concerns
from pipelines_project.report.gather import gather
from pipelines_project.report.history import AssetHistory, Check, Failure, History
from pipelines_project.report.months import State
from pipelines_project.report.page import html, write_page
from pipelines_project.report.shown import Report
from pipelines_project.table import Table
from pipelines_project.warehouse.database import Warehouse
from pipelines_project.warehouse.load_month import load_month
from pipelines_project.warehouse.loaders.replace_table import ReplaceTable
from pipelines_project_tests.landings import land

THIS = month_of(datetime.now(UTC))
LAST = previous_month(THIS)
BEFORE = previous_month(LAST)
FIRST = previous_month(BEFORE)
ROWS = [{"id": 1, "who": "somebody-to-be-hidden"}, {"id": 2, "who": None}]


def _table(cron: str | None = "0 6 * * *", subject: str | None = None) -> Table:
    component = LocalJsonlSource(
        name="events",
        description="One row is one event.",
        files="%Y-%m/*.jsonl",
        raw_url="raw",
        start_month="2020-01",
        cron=cron,
        subject=subject,
        column_descriptions={"who": "the one who did it"},
    )
    [table] = component.monthly_tables()
    return table


def _mart(folder: Path) -> Mart:
    path = folder / "people.sql"
    path.write_text(
        "-- One row is one person.\nselect who, -- the <person>\nfrom local_jsonl.events"
    )
    return Mart("local_jsonl", parse_model(path))


class Place:
    """A landing zone and a warehouse with one table."""

    def __init__(self, zone: LandingZone, warehouse: Warehouse, table: Table) -> None:
        self.zone, self.warehouse, self.table = zone, warehouse, table

    def land(self, *months: str) -> None:
        for month in months:
            land(self.table.month(self.zone, month), ROWS)

    def load(self, *months: str) -> None:
        with self.warehouse.connect() as connection:
            for month in months:
                load_month(connection, self.table.month(self.zone, month), self.table.loader)

    def report(self, history: History | None = None, marts: Sequence[Mart] = ()) -> Report:
        return gather(self.zone, self.warehouse, [self.table], marts, history or {})

    def states(self, history: History | None = None) -> dict[str, State]:
        [table] = self.report(history).tables
        return {month: each.state for month, each in table.months.items()}


@pytest.fixture
def place(landing: LandingZone, warehouse: Warehouse) -> Place:
    return Place(landing, warehouse, _table())


def _of_landing(*months: str, text: str = "the API is down") -> History:
    failure = Failure(1.7e9, "0123456789", "Failure", text)
    return {"landing/local_jsonl/events": AssetHistory(dict.fromkeys(months, failure), failure)}


@pytest.mark.stack
def test_a_month_is_whole_not_loaded_or_missing(place: Place) -> None:
    place.land(FIRST, LAST, THIS)
    place.load(FIRST, LAST)

    assert place.states() == {
        FIRST: State.WHOLE,
        BEFORE: State.MISSING,
        LAST: State.WHOLE,
        THIS: State.NOT_LOADED,
    }


@pytest.mark.stack
def test_a_month_that_was_landed_again_with_the_same_rows_is_loaded(place: Place) -> None:
    place.land(THIS)
    place.load(THIS)
    place.land(THIS)

    assert place.states() == {THIS: State.WHOLE}


def test_a_month_without_rows_is_empty(place: Place) -> None:
    land(place.table.month(place.zone, THIS), [], {"id": {"data_type": "bigint"}})
    place.load(THIS)

    assert place.states() == {THIS: State.EMPTY}


def test_a_damaged_month_names_its_file(place: Place) -> None:
    place.land(THIS)
    load = place.table.month(place.zone, THIS).current_files()
    assert load
    Path(load.files[0]).write_bytes(b"")

    [concern] = concerns(place.report())

    assert concern.state is State.DAMAGED
    assert Path(load.files[0]).name in concern.why


def test_a_failed_month_says_why_before_anything_was_landed(place: Place) -> None:
    assert place.states(_of_landing(LAST)) == {LAST: State.FAILED, THIS: State.MISSING}

    failed, missing = concerns(place.report(_of_landing(LAST)))

    assert (failed.months, missing.months) == (LAST, THIS)
    assert failed.why == "landing failed (run 01234567): the API is down"


@pytest.mark.stack
def test_a_check_that_does_not_hold_for_a_month_is_seen_there(place: Place) -> None:
    place.land(LAST, THIS)
    place.load(LAST, THIS)
    check = Check("ids_are_unique", passed=False, at=1.7e9, months=[LAST])

    states = place.states({"warehouse/local_jsonl/events": AssetHistory(checks=[check])})

    assert states == {LAST: State.CHECK_FAILS, THIS: State.WHOLE}


@pytest.mark.stack
def test_months_that_no_schedule_lands_are_not_missing_after_the_newest(
    landing: LandingZone, warehouse: Warehouse
) -> None:
    place = Place(landing, warehouse, _table(cron=None))
    place.land(FIRST, LAST)
    place.load(FIRST, LAST)

    assert place.states()[BEFORE] is State.MISSING
    assert place.states()[THIS] is State.NONE


@pytest.mark.stack
def test_a_table_without_a_subject_shows_rows_and_one_with_it_and_its_marts_none(
    landing: LandingZone, warehouse: Warehouse, tmp_path: Path
) -> None:
    mart, history = _mart(tmp_path), _of_landing(THIS, text="somebody-to-be-hidden is unknown")
    pages: list[str] = []
    for subject in (None, "who"):
        place = Place(landing, warehouse, _table(subject=subject))
        place.land(THIS)
        place.load(THIS)
        build(warehouse, mart)
        pages.append(html(place.report(history, [mart])))

    shown, hidden = pages
    assert shown.count("somebody-to-be-hidden") > 3
    assert "somebody-to-be-hidden" not in hidden
    assert hidden.count("may name persons") == 2
    assert "the one who did it" in hidden
    assert "see the run" in hidden


@pytest.mark.stack
def test_a_mart_shows_its_columns_and_its_file_without_the_values_of_variables(
    place: Place, tmp_path: Path
) -> None:
    place.land(THIS)
    place.load(THIS)
    path = tmp_path / "some.sql"
    path.write_text("select who as person, -- a <name>\n$secret as s from local_jsonl.events")
    mart = Mart("local_jsonl", parse_model(path, {"secret": "hunter2-hunter2"}))
    build(place.warehouse, mart)

    [found] = place.report(marts=[mart]).marts

    assert [(each.name, each.type) for each in found.relation.columns] == [
        ("person", "VARCHAR"),
        ("s", "VARCHAR"),
    ]
    assert "$secret" in found.sql
    assert "hunter2" not in found.sql


def test_a_mart_by_month_has_a_chart_of_the_mean_of_each_column_of_numbers(
    place: Place, tmp_path: Path
) -> None:
    path = tmp_path / "ratings.sql"
    path.write_text(
        "select * from (values ('2024-01', 'a', 10), ('2024-01', 'b', 20), ('2024-02', 'a', 30)) "
        "as t (month, player, rating)"
    )
    mart = Mart("local_jsonl", parse_model(path))
    build(place.warehouse, mart)

    report = place.report(marts=[mart])

    [chart] = report.marts[0].charts
    assert chart.name == "rating"
    assert [bar.title for bar in chart.bars] == ["2024-01: 15", "2024-02: 30"]
    assert chart.bars[0].height * 2 == chart.bars[1].height
    assert 'aria-label="Mean of rating by month"' in html(report)


@pytest.mark.stack
def test_a_view_of_what_is_gone_is_named_and_the_rest_is_shown(
    place: Place, tmp_path: Path
) -> None:
    place.land(THIS)
    place.load(THIS)
    path = tmp_path / "seen.sql"
    path.write_text("-- materialized: view\nselect who from local_jsonl.events")
    mart = Mart("local_jsonl", parse_model(path))
    build(place.warehouse, mart)
    with place.warehouse.connect() as connection:
        connection.execute("alter table local_jsonl.events rename who to whom")

    report = place.report(marts=[mart])

    [concern] = concerns(report)
    assert (concern.state, concern.where) == (State.FAILED, "local_jsonl_marts.seen")
    assert "it cannot be read" in html(report)
    assert place.states() == {THIS: State.WHOLE}


@pytest.mark.stack
def test_texts_are_escaped_and_nothing_is_asked_of_elsewhere(place: Place, tmp_path: Path) -> None:
    place.land(THIS)
    place.load(THIS)
    mart = _mart(tmp_path)
    build(place.warehouse, mart)

    page = html(place.report(_of_landing(THIS, text="<script>alert(1)</script>"), [mart]))

    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert" not in page
    assert "the &lt;person&gt;" in page
    for outside in ("http://", "https://", "src=", "@import", "url("):
        assert outside not in page


def test_the_page_takes_the_place_of_the_one_before(place: Place, tmp_path: Path) -> None:
    path = tmp_path / "new" / "report.html"
    write_page(path, place.report())
    before = path.stat().st_ino

    write_page(path, place.report())

    assert path.stat().st_ino != before
    assert [each.name for each in path.parent.iterdir()] == ["report.html"]
    assert path.read_text(encoding="utf-8").endswith("</html>")


@pytest.mark.stack
def test_of_a_snapshot_only_the_newest_is_loaded_and_only_this_months_can_be_missing(
    landing: LandingZone, warehouse: Warehouse
) -> None:
    table = replace(_table(), is_snapshot=True, loader=ReplaceTable(("id",)))
    place = Place(landing, warehouse, table)
    place.land(FIRST, LAST)
    place.load(LAST)

    assert place.states() == {
        FIRST: State.WHOLE,
        BEFORE: State.NONE,
        LAST: State.WHOLE,
        THIS: State.MISSING,
    }
