"""A month's rows in the warehouse are those of its load: no more, no fewer, no others."""

from collections.abc import Iterator
from typing import Any, cast

import duckdb
import pytest

from pipelines_project.landing.landed_month import LandedMonth, Load
from pipelines_project.landing.zone import LandingZone
from pipelines_project.warehouse.database import Warehouse, WarehouseError
from pipelines_project.warehouse.load_month import Loaded, Loader, load_month
from pipelines_project.warehouse.loaders.replace_month import ReplaceMonth
from pipelines_project_tests.landings import MONTH, ids_ago, land, place_of, write_load
from pipelines_project_tests.loaders import LoaderOf

pytestmark = pytest.mark.every_warehouse

REPLACE = ReplaceMonth(("player", "url"))


@pytest.fixture
def connection(warehouse: Warehouse, landing: LandingZone) -> Iterator[duckdb.DuckDBPyConnection]:
    with warehouse.connect() as connected:
        yield connected


def _load(
    connection: duckdb.DuckDBPyConnection,
    landing: LandingZone,
    *parts: list[dict[str, Any]],
    month: str = MONTH,
    loader: Loader = REPLACE,
) -> Loaded:
    place = place_of(landing, month)
    write_load(place, ids_ago(0)[0], parts)
    return load_month(connection, place, loader)


def _rows(connection: duckdb.DuckDBPyConnection) -> list[tuple[Any, ...]]:
    query = "select month, player, url from demo.events order by all"
    return connection.execute(query).fetchall()


def _game(player: str, url: str) -> dict[str, Any]:
    return {"player": player, "url": url}


def test_a_rerun_replaces_the_rows_of_its_month_and_no_others(
    connection: duckdb.DuckDBPyConnection, landing: LandingZone
) -> None:
    _load(connection, landing, [_game("a", "1"), _game("a", "2")], [_game("b", "1")])
    _load(connection, landing, [_game("a", "1")], month="2023-02")
    loaded = _load(connection, landing, [_game("a", "3")])

    assert (loaded.rows, loaded.skipped) == (1, False)
    assert _rows(connection) == [("2023-01", "a", "3"), ("2023-02", "a", "1")]


@pytest.mark.stack
def test_an_empty_load_empties_its_month_and_no_other(
    connection: duckdb.DuckDBPyConnection, landing: LandingZone
) -> None:
    rows = [_game("a", "1")]
    for month in (MONTH, "2023-02"):
        land(place_of(landing, month), rows)
        load_month(connection, place_of(landing, month), REPLACE)
    columns: dict[str, Any] = {name: {"data_type": "text"} for name in rows[0]}
    land(place_of(landing), [], columns)

    loaded = load_month(connection, place_of(landing), REPLACE)

    assert (loaded.rows, loaded.skipped) == (0, False)
    assert _rows(connection) == [("2023-02", "a", "1")]
    assert load_month(connection, place_of(landing), REPLACE).skipped


def test_a_key_that_no_row_has_is_named_beside_the_columns_that_there_are(
    connection: duckdb.DuckDBPyConnection, landing: LandingZone
) -> None:
    with pytest.raises(WarehouseError, match="key names player, which is no column of its rows"):
        _load(connection, landing, [{"url": "1"}])

    assert connection.execute("from duckdb_tables() where schema_name = 'demo'").fetchall() == []


def test_a_table_can_begin_with_a_month_that_has_neither_rows_nor_columns(
    connection: duckdb.DuckDBPyConnection, landing: LandingZone
) -> None:
    land(place_of(landing), [], {})
    assert load_month(connection, place_of(landing), REPLACE).rows == 0
    _load(connection, landing, [_game("a", "1")], month="2023-02")

    assert _rows(connection) == [("2023-02", "a", "1")]


@pytest.mark.parametrize("split", [False, True])
def test_a_load_with_a_key_twice_is_refused_and_the_old_rows_stay(
    connection: duckdb.DuckDBPyConnection, landing: LandingZone, split: bool
) -> None:
    _load(connection, landing, [_game("a", "1"), _game("b", "1")])
    twice = [[_game("a", "2")], [_game("b", "2"), _game("a", "2")]]

    with pytest.raises(WarehouseError) as error:
        _load(connection, landing, *(twice if split else [twice[0] + twice[1]]))

    for part in ("demo/events 2023-01", "('player', 'url')", "('a', '2')"):
        assert part in str(error.value)
    assert _rows(connection) == [("2023-01", "a", "1"), ("2023-01", "b", "1")]
    assert connection.execute("select row_count from ledger.loads").fetchall() == [(2,)]


def test_the_same_key_in_two_months_is_two_rows(
    connection: duckdb.DuckDBPyConnection, landing: LandingZone
) -> None:
    for month in (MONTH, "2023-02"):
        _load(connection, landing, [_game("a", "1")], month=month)

    assert len(_rows(connection)) == 2


def test_a_key_that_is_missing_twice_is_a_key_twice(
    connection: duckdb.DuckDBPyConnection, landing: LandingZone
) -> None:
    with pytest.raises(WarehouseError, match="same"):
        _load(connection, landing, [{"player": "a", "url": None}] * 2)


def test_a_key_may_have_any_name(
    connection: duckdb.DuckDBPyConnection, landing: LandingZone
) -> None:
    loader = ReplaceMonth(('quo"te',))
    _load(connection, landing, [{'quo"te': 1}], loader=loader)

    with pytest.raises(WarehouseError, match="same"):
        _load(connection, landing, [{'quo"te': 1}] * 2, loader=loader)


@pytest.mark.parametrize(
    "numbers",
    [
        pytest.param([3, 1, 2], id="in any order"),
        pytest.param([-9, 0, 9], id="on both sides of zero"),
        pytest.param([1, 10**12], id="far from each other"),
        pytest.param([-(2**63), 2**63 - 1], id="the least and the greatest"),
        pytest.param([1.5, 2.5], id="no whole ones"),
    ],
)
def test_a_key_of_numbers_is_refused_if_one_is_there_twice_and_else_not(
    connection: duckdb.DuckDBPyConnection, landing: LandingZone, numbers: list[float]
) -> None:
    loader = ReplaceMonth(("id",))
    _load(connection, landing, [{"id": number} for number in numbers], loader=loader)

    for number in numbers:
        with pytest.raises(WarehouseError, match="rows with the same"):
            _load(connection, landing, [{"id": each} for each in [*numbers, number]], loader=loader)


def test_a_key_of_numbers_may_be_missing_once_only(
    connection: duckdb.DuckDBPyConnection, landing: LandingZone
) -> None:
    loader = ReplaceMonth(("id",))
    _load(connection, landing, [{"id": 1}, {"id": 2}, {"id": None}], loader=loader)

    with pytest.raises(WarehouseError, match="rows with the same"):
        _load(connection, landing, [{"id": 1}, {"id": None}, {"id": None}], loader=loader)


class _LossyConnection:
    """Passes queries on to a connection, but of an insert only the first row."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def execute(
        self, query: str, parameters: dict[str, Any] | None = None
    ) -> duckdb.DuckDBPyConnection:
        lossy = f"{query} limit 1" if query.startswith("insert into") else query
        return self._connection.execute(lossy, parameters)


def test_a_load_that_loses_a_row_on_its_way_is_refused(
    connection: duckdb.DuckDBPyConnection, landing: LandingZone
) -> None:
    _load(connection, landing, [_game("a", "1")])

    def write(held: Any, place: LandedMonth, load: Load, columns: str) -> int:
        return REPLACE.write(cast(Any, _LossyConnection(held)), place, load, columns)

    with pytest.raises(WarehouseError, match="2 rows landed, 1 loaded"):
        _load(
            connection,
            landing,
            [_game("a", "2"), _game("a", "3")],
            loader=LoaderOf(write, REPLACE.is_complete),
        )
    assert _rows(connection) == [("2023-01", "a", "1")]
