"""What a DuckDB file takes, DuckLake and PostgreSQL take too, or refuse with a sentence."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pytest

from pipelines_project.landing.zone import LandingZone
from pipelines_project.warehouse.database import UnfitMonthError, Warehouse
from pipelines_project.warehouse.load_month import Loaded, load_month
from pipelines_project.warehouse.loaders.loader import Loader
from pipelines_project.warehouse.loaders.merge_month import MergeMonth
from pipelines_project.warehouse.loaders.replace_month import ReplaceMonth
from pipelines_project.warehouse.postgres import stored_name
from pipelines_project_tests.landings import ids_ago, place_of, write_load

pytestmark = pytest.mark.every_warehouse(lake_in_ci=True)

REPLACE = ReplaceMonth(("id",))
Rows = pa.Table | list[dict[str, Any]]


def _load(warehouse: Warehouse, zone: LandingZone, months: dict[str, Rows]) -> None:
    with warehouse.connect() as connection:
        for month, rows in months.items():
            place = place_of(zone, month)
            write_load(place, ids_ago(0)[0], [rows])
            load_month(connection, place, REPLACE)


def _is_postgres(warehouse: Warehouse) -> bool:
    return warehouse.url.startswith("postgres")


NOON = datetime(2023, 1, 1, 12, tzinfo=UTC)
_MONTHS: dict[str, Rows] = {
    "2023-01": [{"id": 1, "n": 7, "b": True, "t": NOON, "f": 1}],
    "2023-02": [{"id": 1, "n": 1.5, "b": True, "t": NOON, "f": 2.5, "late": 0.5}],
    "2023-03": [{"id": 1, "n": 2**53 + 1, "b": "yes", "t": NOON, "f": 1e300}],
    "2023-04": [{"id": 1, "n": "007", "b": False, "t": "noon", "later": Decimal("1.50")}],
    "2023-05": pa.table(
        {
            "id": [1],
            "u": pa.array([2**64 - 1], pa.uint64()),
            "s": pa.array([200], pa.uint8()),
            "f": pa.array([0.1], pa.float32()),
            "bytes": pa.array([b"\0x"], pa.binary()),
            "d": [date(2023, 5, 1)],
            "l": pa.array([[1, None]], pa.list_(pa.int64())),
        }
    ),
    "2023-06": pa.table({"id": ["x"], "u": [-1], "s": [-300], "d": [date(2023, 6, 1)]}),
    "2023-07": [{"id": 1, "month": "July", "ctid": 1, "a" * 70: 1, 'quo"te': 1}],
    "2023-08": [{"id": 1, "month": 8, "ctid": "x", "a" * 70: 0.5, "a" * 71: 2, 'quo"te': "ü"}],
}


@pytest.mark.stack
def test_months_whose_types_and_names_change_come_to_the_same_values(
    warehouse: Warehouse, landing: LandingZone, tmp_path: Path
) -> None:
    file = Warehouse(str(tmp_path / "file.duckdb"))
    for each in (warehouse, file):
        _load(each, landing, _MONTHS)

    with file.connect() as connection:
        told = connection.execute("describe demo.events").fetchall()
    for name, *_ in told:
        column = stored_name(name) if _is_postgres(warehouse) else name
        expected, values = (
            each.rows(f"select {_quoted(c)} from demo.events order by events.month")
            for each, c in ((file, name), (warehouse, column))
        )
        assert values == expected, name


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def test_a_name_that_postgresql_does_not_take_is_recorded(
    warehouse: Warehouse, landing: LandingZone
) -> None:
    long = "a" * 70
    for _ in range(2):
        _load(warehouse, landing, {"2023-01": [{"id": 1, "ctid": 1, long: 2}]})

    if not _is_postgres(warehouse):
        assert warehouse.rows(f"select ctid, {long} from demo.events") == [(1, 2)]
        return
    query = "select landed_name, column_name from ledger.column_names order by all"
    recorded = dict(warehouse.rows(query))
    assert recorded == {"ctid": "source_ctid", long: stored_name(long)}
    assert warehouse.rows(f"select source_ctid, {recorded[long]} from demo.events") == [(1, 2)]


_REFUSED: list[tuple[Rows, Sequence[str]]] = [
    ([{"id": 1, "v": "a\0b"}], ["'v'", "NUL"]),
    (pa.table({"id": [1], **{f"c{n}": [float(n)] for n in range(1100)}}), ["1102", "8 kB"]),
    (pa.table({"id": [1], "v": pa.array([1], pa.timestamp("ns"))}), ["'v'", "TIMESTAMP_NS"]),
    (pa.table({"id": [1], "v": [{"a": 1}]}), ["'v'", "STRUCT"]),
]


@pytest.mark.stack
@pytest.mark.parametrize(("rows", "told"), _REFUSED, ids=["nul", "wide", "type", "struct"])
def test_what_postgresql_cannot_hold_is_refused_by_name_and_changes_nothing(
    warehouse: Warehouse, landing: LandingZone, rows: Rows, told: Sequence[str]
) -> None:
    _load(warehouse, landing, {"2023-01": [{"id": 1}]})

    if not _is_postgres(warehouse):
        _load(warehouse, landing, {"2023-02": rows})
        assert warehouse.rows("select count(*) from demo.events") == [(2,)]
        return
    with pytest.raises(UnfitMonthError, match="PostgreSQL") as refusal:
        _load(warehouse, landing, {"2023-02": rows})
    for part in ("demo/events 2023-02", "DuckLake", *told):
        assert part in str(refusal.value)
    with warehouse.connect() as connection:
        described = connection.execute("describe demo.events").fetchall()
    assert [name for name, *_ in described] == ["month", "id"]
    assert warehouse.rows("select month from ledger.loads") == [("2023-01",)]


_EACH_MONTH = [f"{year}-{number:02d}" for year in (2022, 2023) for number in range(1, 13)]


@pytest.mark.parametrize(
    ("loader", "row"),
    [
        (REPLACE, lambda n: {"id": f"{n}"} if n % 2 else {"id": n, "more": n}),
        (MergeMonth("id"), lambda n: {"id": n % 3, "updated_at": f"2024-{n:02d}"}),
    ],
    ids=["replace", "merge"],
)
def test_eight_writers_load_two_years_exactly_each_month_by_two_of_them(
    warehouse: Warehouse,
    landing: LandingZone,
    loader: Loader,
    row: Callable[[int], dict[str, Any]],
) -> None:
    if not warehouse.url.startswith(("postgres", "ducklake")):
        pytest.skip("a file has one writer")
    for number, month in enumerate(_EACH_MONTH):
        write_load(place_of(landing, month), ids_ago(10)[0], [[row(number)]])

    def load(writer: int) -> list[Loaded]:
        months = [*_EACH_MONTH[writer::8], *_EACH_MONTH[(writer + 1) % 8 :: 8]]
        Random(writer).shuffle(months)
        with warehouse.connect() as connection:
            return [load_month(connection, place_of(landing, each), loader) for each in months]

    with ThreadPoolExecutor(8) as threads:
        loaded = [each for of_writer in threads.map(load, range(8)) for each in of_writer]

    assert [each.skipped for each in loaded].count(False) == 24
    assert warehouse.rows("select month, row_count from ledger.loads order by 1") == [
        (month, 1) for month in _EACH_MONTH
    ]
    if loader is REPLACE:
        expected = [(month, f"{n}") for n, month in enumerate(_EACH_MONTH)]
        assert warehouse.rows("select month, id from demo.events order by 1") == expected
        assert warehouse.rows("select sum(more) from demo.events") == [(sum(range(0, 24, 2)),)]
    else:
        assert warehouse.rows("select id, month from demo.events order by 1") == [
            (number, _EACH_MONTH[21 + number]) for number in range(3)
        ]
