"""A month of a table or query as rows, in the values of the database's own driver.

`typed_rows` makes columns of them, or refuses a value by name. One statement reads the month; in a
database that has repeatable reads it sees one state of it.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from dlt.common.normalizers.naming import NamingConvention
from dlt.common.schema.typing import TColumnSchema

from pipelines_project.months import month_start, next_month
from pipelines_project.sources.http.api_calls import SourceError
from pipelines_project.sources.sql.columns import read_columns, row_keys
from pipelines_project.sources.sql.connection import CONNECT_SECONDS, engine_of
from pipelines_project.sources.sql.driver_columns import declared, refuse_mistyped
from pipelines_project.sources.sql.settings import SqlSettings, statement
from pipelines_project.sources.sql.sqlite_months import refuse_no_dates

Row = dict[str, Any]

_BATCH_ROWS = 2000
_COLON = re.compile(r":(?!month_(?:start|end)\b)|(?<=:):")
_MYSQL = ("mysql", "mariadb")


@dataclass(frozen=True)
class DriverTable:
    """What is read of a database, and as what.

    Attributes:
        settings: of the table.
        engine: of the database.
        source: what stands after `from`.
        landed: the name that each column lands under, by the database's.
        keys: of a row as a dict, in the order of `landed`.
        declared: what dlt is told of columns, by the name that they land under.
    """

    settings: SqlSettings
    engine: sa.Engine
    source: sa.FromClause
    landed: dict[str, str]
    keys: list[str]
    declared: dict[str, TColumnSchema]

    def rows(self, month: str) -> Iterator[list[Row]]:
        """Yield the rows of a month, or all of a snapshot.

        Raises:
            SourceError: a value is not of its column's type, or the month column's are no dates.
        """
        window = {
            "month_start": _day(self.engine, month_start(month)),
            "month_end": _day(self.engine, month_start(next_month(month))),
        }
        select = sa.select(*[self.source.c[name] for name in self.landed])
        names, before = [*self.landed.values()], 0
        with self.engine.connect() as connection:
            if self.settings.month_column:
                column = self.source.c[self.settings.month_column]
                refuse_no_dates(self.settings, connection, column)
                start: sa.BindParameter[Any] = sa.bindparam("month_start")
                end: sa.BindParameter[Any] = sa.bindparam("month_end")
                select = select.where(column >= start, column < end)
            size = min(_BATCH_ROWS, self.settings.chunk_rows)
            streamed = connection.execution_options(stream_results=True, yield_per=size)
            for batch in streamed.execute(select, window).partitions(size):
                rows = [tuple(row) for row in batch]
                refuse_mistyped(self.settings, self.declared, names, rows, before)
                before += len(rows)
                yield [dict(zip(self.keys, row, strict=True)) for row in rows]


def driver_table(settings: SqlSettings, url: sa.URL, naming: NamingConvention) -> DriverTable:
    """Return what the settings say is read, once the database has said what columns there are.

    Raises:
        SourceError: the settings do not fit the database.
    """
    engine = engine_of(url, _connect_args(settings, url))
    if engine.dialect.name in _MYSQL:
        engine = engine.execution_options(isolation_level="REPEATABLE READ")
    if settings.query is not None:
        return _query(settings, engine, naming)
    schema, table = settings.schema_and_table
    reflected = sa.inspect(engine).get_columns(table, schema)
    there = {column["name"]: column["type"] for column in reflected}
    landed = read_columns(settings, [*there], naming)
    if settings.month_column:
        _check_month_column(settings, engine, there[settings.month_column])
    hints = {new: declared(new, there[name]) for name, new in landed.items()}
    # Columns without a type, so that values come as the driver has them.
    source = sa.table(table, *_untyped(there), schema=schema)
    known = {name: hint for name, hint in hints.items() if hint}
    return DriverTable(settings, engine, source, landed, row_keys(settings, landed, naming), known)


def _query(settings: SqlSettings, engine: sa.Engine, naming: NamingConvention) -> DriverTable:
    if settings.month_column:
        raise SourceError(
            f"{settings.place}: month_column goes with a table; a query says in its `where` which "
            "month it is for, with >= :month_start and < :month_end"
        )
    # SQLAlchemy would take 10:30 in a text, and what stands in a comment, for parameters.
    # The line break is for a comment at its end.
    text = _COLON.sub(r"\\:", statement(settings.query or "")) + "\n"
    first = datetime(2000, 1, 1)  # noqa: DTZ001
    window = {name: _day(engine, first) for name in ("month_start", "month_end")}
    empty = sa.text(f"select * from (\n{text}) q where 1 = 0")
    with engine.connect() as connection:
        there = [*connection.execute(empty, window).keys()]
    landed = read_columns(settings, there, naming)
    source = sa.text(text).columns(*_untyped(there)).subquery("q")
    return DriverTable(settings, engine, source, landed, row_keys(settings, landed, naming), {})


def _untyped(names: Iterable[str]) -> "list[sa.ColumnClause[Any]]":
    return [sa.column(name) for name in names]


def _day(engine: sa.Engine, day: datetime) -> Any:
    """Return a day as its database compares it with dates, times, and for SQLite their texts."""
    is_text = engine.dialect.name in ("sqlite", *_MYSQL)
    return f"{day:%Y-%m-%d}" if is_text else day.replace(tzinfo=None)


def _check_month_column(settings: SqlSettings, engine: sa.Engine, kind: Any) -> None:
    times = (sa.Date, sa.DateTime, *((sa.String,) if engine.dialect.name == "sqlite" else ()))
    if not isinstance(kind, times):
        raise SourceError(
            f"{settings.place}: month_column {settings.month_column!r} is of the type {kind}, and "
            "must be a date or timestamp: name another column, or write a `query` that compares "
            "it with :month_start and :month_end"
        )


def _connect_args(settings: SqlSettings, url: sa.URL) -> dict[str, Any]:
    """Return the bounds of time of the drivers that have them."""
    seconds = int(settings.timeout_minutes * 60)
    match url.get_dialect().driver:
        case "pymysql":
            session = "set time_zone = '+00:00'"
            return {
                "connect_timeout": CONNECT_SECONDS,
                "read_timeout": seconds,
                "init_command": session,
            }
        case "pymssql":
            return {"login_timeout": CONNECT_SECONDS, "timeout": seconds}
        case "pysqlite":
            return {"timeout": CONNECT_SECONDS}
        case _:
            return {}
