"""From the games of one chess.com answer to typed rows: what is documented, and what is not."""

import hashlib
from typing import Any, cast

import duckdb
import pyarrow as pa
import pyarrow.compute
from dlt.common.libs.pyarrow import py_arrow_to_table_schema_columns
from dlt.common.normalizers.naming.snake_case import NamingConvention

from pipelines_project.names import DLT_COLUMNS, ROW_ID_COLUMN
from pipelines_project.sources.json.arrow_parser import UnfitJsonError, schema_of
from pipelines_project.sources.json.columns import Column, columns_of, rows
from pipelines_project.sources.json.lines import SortedLines, sorted_lines
from pipelines_project.sources.json.nesting import TOO_DEEP, too_deep
from pipelines_project.sources.json.raw_lines import BadLine, Block
from pipelines_project.sources.json.shape import BIGINT, BOOLEAN, DOUBLE, TEXT, Shape
from pipelines_project.sources.json.typed_items import typed_items

# Its functions are made when it is imported, where no type checker sees them.
pc: Any = pyarrow.compute

_TEXTS = "url uuid pgn tcn fen initial_setup time_control time_class rules eco tournament match"
_SIDE = {**dict.fromkeys(("@id", "username", "uuid", "result"), TEXT), "rating": BIGINT}
_TIMES = ("start_time", "end_time")
DOCUMENTED: Shape = {
    **dict.fromkeys(_TEXTS.split(), TEXT),
    **dict.fromkeys(_TIMES, BIGINT),
    "rated": BOOLEAN,
    "accuracies": {"white": DOUBLE, "black": DOUBLE},
    "white": _SIDE,
    "black": _SIDE,
}
"""The fields of a game (Published-Data API, "Complete Monthly Archives"), times in Unix seconds.

They are columns in every month, so that a month's schema does not hang on its games.
"""
_DOCUMENTED_TYPES = cast(pa.Schema, schema_of(DOCUMENTED))
_OWN = (pa.field(ROW_ID_COLUMN, pa.string(), False), pa.field("player", pa.string(), False))
_RESERVED = (*DLT_COLUMNS, "player")
# A game that an answer holds twice is one row, the later one.
_LINES = """
    select 0::integer as file, number, line, url
    from (
        select line, number, json_extract_string(line, '$.url') as url
        from (
            select unnest(games) as line, generate_subscripts(games, 1) as number
            from (select json_extract($answer, '$.games[*]') as games)
        )
    )
    qualify row_number() over (partition by url order by number desc) = 1
    order by number
"""


def documented_games(player: str, answer: bytes) -> pa.Table:
    """Return the games of an answer that has nothing but what is documented, as typed rows.

    They are the rows that `sorted_games` and `game_rows` make of it, in a seventh of the time.

    Args:
        player: the tracked player, for the column `player`; `_dlt_id` is made of it and the URL.
        answer: a JSON object whose `games` are objects that have a `url`.

    Raises:
        UnfitJsonError: it has something else, or a game twice.
        ValueError: a time is no time.
    """
    count, found = typed_items(answer, "games", _DOCUMENTED_TYPES)
    urls: list[Any] = found["url",].to_pylist()
    if len(set(urls)) < count:
        raise UnfitJsonError("a game is there twice")
    columns = _columns(DOCUMENTED)
    values = [*_own(player, urls), *(found[column.path] for column in columns)]
    return _with_times(pa.Table.from_arrays(values, schema=_schema(columns)))


def sorted_games(connection: duckdb.DuckDBPyConnection, player: str, answer: bytes) -> SortedLines:
    """Return the games of an answer, each as a line, and their shape.

    Args:
        connection: any DuckDB connection.
        player: the tracked player, for the column `player`; `_dlt_id` is made of it and the URL.
        answer: a JSON object whose `games` are objects that have a `url`.

    Raises:
        ValueError: a game cannot become a row; says which and why.
    """
    games = _games(connection, player, answer.decode())
    deep = [BadLine(0, n + 1, TOO_DEEP, b"") for n in too_deep(games["line"])]
    _refuse(deep)
    lines = sorted_lines(connection, Block(games, []), known=lambda: DOCUMENTED)
    _refuse(lines.bad)
    return lines


def documented_columns() -> dict[str, str]:
    """Return the dlt type of each column that every month has."""
    columns = py_arrow_to_table_schema_columns(no_games(DOCUMENTED).schema)
    return {name: str(column.get("data_type")) for name, column in columns.items()}


def no_games(shape: Shape) -> pa.Table:
    """Return the table of no games, with the columns of all the month's games."""
    return _with_times(_schema(_columns(shape)).empty_table())


def game_rows(connection: duckdb.DuckDBPyConnection, lines: pa.Table, shape: Shape) -> pa.Table:
    """Return the games of an answer as typed rows, one row for each URL.

    Args:
        connection: any DuckDB connection.
        lines: the games, as `sorted_games` returns them.
        shape: of all the month's games, which decides the columns. A documented field that has
            other values than documented is text, as is any field of several types.

    Raises:
        ValueError: a time is no time.
    """
    columns = _columns(shape)
    return _with_times(rows(connection, lines, columns, _schema(columns)))


def _own(player: str, urls: list[Any]) -> "list[pa.Array[Any]]":
    """Return the columns of `_OWN`, for the games at these URLs."""
    keys = (f"{player} {url}".encode() for url in urls)
    ids = [hashlib.md5(key, usedforsecurity=False).hexdigest() for key in keys]
    return [pa.array(ids, pa.string()), pa.array([player] * len(urls), pa.string())]


def _games(connection: duckdb.DuckDBPyConnection, player: str, answer: str) -> pa.Table:
    found = connection.execute(_LINES, {"answer": answer}).to_arrow_table()
    games: dict[str, Any] = {
        "file": found["file"],
        "number": found["number"],
        "line": found["line"].cast(pa.large_string()),
    }
    for field, values in zip(_OWN, _own(player, found["url"].to_pylist()), strict=True):
        games[field.name] = values
    return pa.Table.from_pydict(games)


def _refuse(bad: list[BadLine]) -> None:
    if bad:
        raise ValueError(f"game {bad[0].number}: {bad[0].reason}")


def _columns(shape: Shape) -> list[Column]:
    return columns_of(shape, NamingConvention(), _RESERVED)


def _schema(columns: list[Column]) -> pa.Schema:
    fields = (column.field.with_nullable(column.name != "url") for column in columns)
    return pa.schema([*_OWN, *fields])


def _with_times(table: pa.Table) -> pa.Table:
    """Return the rows with their Unix seconds as timestamps.

    Raises:
        ValueError: a time is no number, or lies outside of all time.
    """
    for name in _TIMES:
        at = table.schema.get_field_index(name)
        try:
            seconds = table[name].cast(pa.int64()).cast(pa.timestamp("s", "UTC"))
            times = seconds.cast(pa.timestamp("us", "UTC"))
        except pa.ArrowInvalid as error:
            raise ValueError(f"{name} is no time: {error}") from error
        table = table.set_column(at, name, times)
    return table
