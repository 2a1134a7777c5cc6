"""Building one month of a mart of a million rows, beside building all of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.case import CPU, Case, Contender, Figures, Target, ratio
from benchmarks.commands import first_months
from benchmarks.measure import in_process
from pipelines_project.marts.build_months import build_months
from pipelines_project.marts.mart import Mart
from pipelines_project.marts.model import parse_model
from pipelines_project.warehouse.database import Warehouse
from pipelines_project.warehouse.ledger import create_ledger

_ROWS = 25_000
# Of 2,800 players with three time classes each, 8,400 rows a month: in 120 months a million.
_GAMES = f"""
    select 'player' || (n % 2800) as player, ['blitz', 'rapid', 'daily'][n % 3 + 1] as time_class,
        (hash(n + $number) % 2000)::integer as rating, $month as month
    from range({_ROWS}) as t (n)
"""
_MODEL = """-- incremental: month
select player, month, time_class, count(*) as games, round(avg(rating), 1) as average_rating,
    max(rating) as best_rating
from chess.games
group by player, month, time_class
"""


@dataclass(frozen=True)
class BuiltMart:
    """A mart that is built, and its months."""

    warehouse: Warehouse
    mart: Mart
    months: list[str]


_LOADED = """
    insert into ledger.loads (source, table_name, month, load_id, row_count) values (?, ?, ?, ?, ?)
"""


@contextmanager
def _built(count: int, folder: Path) -> Iterator[BuiltMart]:
    """Load made-up games of so many months, and build the mart over them."""
    months = first_months(count)
    warehouse = Warehouse(url=str(folder / "warehouse.duckdb"))
    with warehouse.connect() as connection:
        create_ledger(connection, "chess")
        for number, month in enumerate(months):
            parameters = {"number": number, "month": month}
            into = "insert into chess.games" if number else "create table chess.games as"
            connection.execute(f"{into} {_GAMES}", parameters)
            loaded = ["chess", "games", month, "1", _ROWS]
            connection.execute(_LOADED, loaded)
    (folder / "by_month.sql").write_text(_MODEL)
    mart = Mart("chess", parse_model(folder / "by_month.sql"))
    build_months(warehouse, mart, months)
    yield BuiltMart(warehouse, mart, months)


def _one_month(built: BuiltMart, _: Path) -> Figures:
    """Build the mart after a month in the middle was loaded again with other rows."""
    month = built.months[len(built.months) // 2]
    with built.warehouse.connect() as connection:
        connection.execute("update chess.games set rating = rating + 1 where month = ?", [month])
        load = "update ledger.loads set load_id = load_id || '1' where month = ?"
        connection.execute(load, [month])

    def work() -> None:
        made = build_months(built.warehouse, built.mart, [month])
        if made.whole or made.months[month].unchanged:
            raise RuntimeError(f"{month} was not built alone")

    return in_process(work)


def _whole(built: BuiltMart, _: Path) -> Figures:
    """Build all of it."""
    return in_process(
        lambda: build_months(built.warehouse, built.mart, built.months, full_refresh=True)
    )


MART_MONTH = Case(
    name="mart_month",
    what="A mart of 8,400 rows a month brought up to date after one month was loaded again: "
    "that month, and the whole table.",
    unit="months",
    sizes={120: 5},
    prepared=_built,
    contenders={"one month": Contender(_one_month), "whole": Contender(_whole)},
    targets=(
        Target("one month over the whole", 0.1, ratio(("one month", 120), ("whole", 120), CPU)),
    ),
)
