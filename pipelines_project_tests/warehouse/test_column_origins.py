"""Names of a source that fall together never share a column, whichever month has which of them."""

import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import permutations
from pathlib import Path
from typing import Any

import dlt
import duckdb
import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines_project.landing.land_month import land_month
from pipelines_project.landing.landed_month import LandedMonth
from pipelines_project.landing.restore import restore
from pipelines_project.landing.shrink_guard import accept
from pipelines_project.landing.zone import LandingZone
from pipelines_project.sources.fetch import Extract
from pipelines_project.sources.files.file_table import resource_of
from pipelines_project.sources.files.raw_files import RawFolder
from pipelines_project.sources.files.settings import FileSettings, JsonlSettings
from pipelines_project.sources.sql.month import sql_month
from pipelines_project.sources.sql.settings import SqlSettings
from pipelines_project.warehouse.database import UnfitMonthError, Warehouse
from pipelines_project.warehouse.load_month import load_month
from pipelines_project.warehouse.loaders.loader import Loader
from pipelines_project.warehouse.loaders.replace_month import ReplaceMonth
from pipelines_project.warehouse.loaders.replace_table import ReplaceTable
from pipelines_project_tests.databases import VARIABLE
from pipelines_project_tests.landings import place_of

ONE, OTHER, BOTH = "2024-01", "2024-02", "2024-03"
MONTHS = {ONE: ["userId"], OTHER: ["user_id"], BOTH: ["userId", "user_id"]}

Names = Mapping[str, str]
Extractor = Callable[[Path, Mapping[str, Sequence[str]], Names], Extract]


def _row(month: str, names: Sequence[str]) -> dict[str, str]:
    """Return a row of a month, whose values say which name of the source has them."""
    return {"id": month, **{name: f"{name} of {month}" for name in names}}


def _file(folder: Path, month: str, ending: str) -> Path:
    path = folder / "raw" / month / f"a.{ending}"
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _files(folder: Path, ending: Any, chosen: Names) -> Extract:
    place = RawFolder(str(folder / "raw"), f"%Y-%m/*.{ending}")
    kind: Any = {"jsonl": "jsonl", "xlsx": "excel"}.get(ending, ending)
    lines = JsonlSettings("events", place, column_names=chosen)
    rows = FileSettings("events", place, kind, column_names=chosen)
    return lambda month, fetch: resource_of(
        lines if ending == "jsonl" else rows, month, dict, fetch
    )


def _json_lines(folder: Path, months: Mapping[str, Sequence[str]], chosen: Names) -> Extract:
    for month, names in months.items():
        _file(folder, month, "jsonl").write_text(json.dumps(_row(month, names)))
    return _files(folder, "jsonl", chosen)


def _csv(folder: Path, months: Mapping[str, Sequence[str]], chosen: Names) -> Extract:
    for month, names in months.items():
        row = _row(month, names)
        _file(folder, month, "csv").write_text(f"{','.join(row)}\n{','.join(row.values())}\n")
    return _files(folder, "csv", chosen)


def _parquet(folder: Path, months: Mapping[str, Sequence[str]], chosen: Names) -> Extract:
    for month, names in months.items():
        table = pa.Table.from_pylist([_row(month, names)])
        pq.write_table(table, _file(folder, month, "parquet"))
    return _files(folder, "parquet", chosen)


def _excel(folder: Path, months: Mapping[str, Sequence[str]], chosen: Names) -> Extract:
    for month, names in months.items():
        row, book = _row(month, names), openpyxl.Workbook()
        sheet: Any = book.active
        sheet.append([*row])
        sheet.append([*row.values()])
        book.save(_file(folder, month, "xlsx"))
    return _files(folder, "xlsx", chosen)


def _rows(_folder: Path, months: Mapping[str, Sequence[str]], _chosen: Names) -> Extract:
    return lambda month, _: dlt.resource([_row(month, months[month])], name="events")


def _arrow(_folder: Path, months: Mapping[str, Sequence[str]], _chosen: Names) -> Extract:
    def extract(month: str, _: Any) -> Any:
        return dlt.resource([pa.Table.from_pylist([_row(month, months[month])])], name="events")

    return extract


def _sql(folder: Path, months: Mapping[str, Sequence[str]], chosen: Names) -> Extract:
    for month, names in months.items():
        with sqlite3.connect(folder / "shop.sqlite") as database:
            row = _row(month, names)
            columns = ", ".join(f'"{name}" text' for name in row)
            database.execute(f'drop table if exists "{month}"')
            database.execute(f'create table "{month}" ({columns})')
            places = ", ".join("?" * len(row))
            database.execute(f'insert into "{month}" values ({places})', [*row.values()])
    return lambda month, fetch: sql_month(
        SqlSettings("events", VARIABLE, table=month, column_names=chosen), month, fetch
    )


EXTRACTORS = [
    _json_lines,
    _csv,
    *(
        pytest.param(each, marks=pytest.mark.stack)
        for each in (_parquet, _excel, _rows, _arrow, _sql)
    ),
]


class Months:
    """Lands months of the table `events`, and loads them into a warehouse."""

    def __init__(self, folder: Path, zone: LandingZone, connection: duckdb.DuckDBPyConnection):
        self.folder, self.zone, self.connection = folder, zone, connection

    def land(
        self,
        months: Mapping[str, Sequence[str]] = MONTHS,
        extractor: Extractor = _json_lines,
        column_names: Names | None = None,
    ) -> None:
        extract = extractor(self.folder, months, column_names or {})
        for month in months:
            place = self.place(month)
            land_month(place, extract, accept, column_names=column_names or {})

    def place(self, month: str) -> LandedMonth:
        return place_of(self.zone, month)

    def load(self, month: str, loader: Loader | None = None) -> None:
        load_month(self.connection, self.place(month), loader or ReplaceMonth(("id",)))

    def refusal(self, month: str) -> str:
        with pytest.raises(UnfitMonthError) as refused:
            self.load(month)
        return str(refused.value)

    def values(self) -> dict[str, list[Any]]:
        """Return the values of each column that has any, in the order of months."""
        table = self.connection.execute("from demo.events order by month").to_arrow_table()
        own = ("id", "month", "_dlt_id", "_dlt_load_id")
        found = {n: table[n].drop_null().to_pylist() for n in table.column_names if n not in own}
        return {name: values for name, values in found.items() if values}


@pytest.fixture
def months(
    tmp_path: Path, landing: LandingZone, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Months]:
    monkeypatch.setenv(VARIABLE, f"sqlite:///{tmp_path / 'shop.sqlite'}")
    with warehouse.connect() as connection:
        yield Months(tmp_path, landing, connection)


@pytest.mark.stack
@pytest.mark.parametrize("extractor", EXTRACTORS)
def test_in_any_order_of_loading_no_column_mixes_two_names(
    months: Months, extractor: Extractor
) -> None:
    months.land(extractor=extractor)
    for order in permutations(MONTHS):
        refused: dict[str, str] = {}
        for month in order:
            try:
                months.load(month)
            except UnfitMonthError as error:
                refused[month] = str(error)

        columns = months.values().values()
        assert all(len({value.split(" of ")[0] for value in each}) == 1 for each in columns)
        assert [*refused] == ([m for m in order if m != ONE] if order[0] == ONE else [ONE])
        assert all("'userId'" in said and "'user_id'" in said for said in refused.values())
        months.connection.execute("drop table demo.events; delete from ledger.loads")


@pytest.mark.stack
@pytest.mark.parametrize("extractor", EXTRACTORS)
def test_names_that_are_given_columns_of_their_own_load_in_every_month(
    months: Months, extractor: Extractor
) -> None:
    months.land(extractor=extractor, column_names={"userId": "app_user"})

    for month in MONTHS:
        months.load(month)

    assert months.values() == {
        "app_user": [f"userId of {ONE}", f"userId of {BOTH}"],
        "user_id": [f"user_id of {OTHER}", f"user_id of {BOTH}"],
    }


@pytest.mark.stack
def test_months_that_are_landed_in_another_order_are_landed_alike(months: Months) -> None:
    months.land()
    first = {month: _record(months, month).origins for month in MONTHS}

    months.land({month: MONTHS[month] for month in reversed(MONTHS)})

    assert {month: _record(months, month).origins for month in MONTHS} == first


@pytest.mark.stack
def test_the_refusal_says_how_two_names_become_one_column(months: Months) -> None:
    months.land()
    months.load(ONE)
    said = months.refusal(OTHER)
    assert said == (
        "demo/events 2024-02: column 'user_id' is 'user_id' of the source, and 'userId' in "
        '2024-01. Nothing was changed. If the two are one column, set column_names: {"userId": '
        "user_id} and land this month again. If not, give one of them another column, such as "
        'column_names: {"userId": user_id_2}, and land again the months that have it'
    )

    months.land({OTHER: MONTHS[OTHER]}, column_names={"userId": "user_id"})
    months.load(OTHER)

    assert months.values() == {"user_id": [f"userId of {ONE}", f"user_id of {OTHER}"]}


@pytest.mark.stack
@pytest.mark.every_warehouse
def test_a_month_that_is_landed_again_no_longer_stands_in_the_way(months: Months) -> None:
    months.land()
    months.load(ONE)
    assert ONE in months.refusal(BOTH)

    months.land({ONE: MONTHS[ONE]}, column_names={"userId": "app_user"})
    months.load(ONE)
    months.land({BOTH: MONTHS[BOTH]}, column_names={"userId": "app_user"})
    months.load(BOTH)

    assert months.values() == {
        "app_user": [f"userId of {ONE}", f"userId of {BOTH}"],
        "user_id": [f"user_id of {BOTH}"],
    }


@pytest.mark.stack
def test_nested_names_are_told_by_their_pointers(months: Months) -> None:
    nested = {ONE: {"a": {"userId": "x"}}, OTHER: {"a__user_id": "y"}}
    extract: Extract = lambda month, _: dlt.resource([{"id": 1, **nested[month]}], name="events")  # noqa: E731
    for month in nested:
        land_month(months.place(month), extract, accept)
    months.load(ONE)
    assert "is 'a__user_id' of the source, and '/a/userId' in 2024-01" in months.refusal(OTHER)

    names = {"/a/userId": "app_user"}
    land_month(months.place(ONE), extract, accept, column_names=names)
    for month in nested:
        months.load(month)

    assert months.values() == {"app_user": ["x"], "a__user_id": ["y"]}


@pytest.mark.stack
def test_a_column_month_and_one_that_has_its_name_in_the_warehouse_are_told_apart(
    months: Months,
) -> None:
    months.land({ONE: ["month"], OTHER: ["source_month"]})
    months.load(ONE)
    assert "column 'source_month' is 'source_month' of the source" in months.refusal(OTHER)


@pytest.mark.stack
def test_a_restored_load_says_what_its_columns_are(months: Months) -> None:
    months.land({ONE: MONTHS[ONE]}, _csv, {"userId": "user_id"})
    before = _record(months, ONE)
    months.land({ONE: MONTHS[ONE]}, _csv)
    assert _record(months, ONE).origins != before.origins

    restore(months.place(ONE), before.load_id)

    assert _record(months, ONE).origins == before.origins


@pytest.mark.stack
def test_a_snapshot_takes_the_place_of_one_with_other_names(months: Months) -> None:
    months.land()
    for month in MONTHS:
        months.load(month, ReplaceTable(("id",)))
    assert set(months.values()) >= {"user_id"}
    assert months.connection.execute("select month from demo.events").fetchall() == [(BOTH,)]


def _record(months: Months, month: str) -> Any:
    load = months.place(month).current_files()
    assert load
    return load.record
