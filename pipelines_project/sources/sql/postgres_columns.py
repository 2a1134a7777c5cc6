"""The columns of a PostgreSQL statement, and the SQL that sends each of them exactly."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from pipelines_project.sources.http.api_calls import SourceError
from pipelines_project.sources.sql.settings import SqlSettings
from pipelines_project.sql_text import literal, quoted

REFUSED = "refused: "
"""What precedes the reason in the error of a value that the select list refuses."""

# Those that DuckDB and Arrow hold as PostgreSQL does, but for the bounds of times.
_SENT_AS_THEY_ARE = {
    "bool",
    "int2",
    "int4",
    "int8",
    "float4",
    "float8",
    "text",
    "varchar",
    "bytea",
    "uuid",
    "date",
    "time",
    "timestamp",
    "timestamptz",
}
_MONTH_LITERALS = {"date": "date", "timestamp": "timestamp", "timestamptz": "timestamptz"}
_DIGITS = 38
# A type of one's own is named with its schema: it may be called as one of PostgreSQL's is.
_TYPES = sa.text(
    "select oid, typtype, typcategory, typname, typnamespace::regnamespace::text as schema "
    "from pg_type where oid = any(:oids)"
).columns(sa.column("oid", sa.BigInteger))


@dataclass(frozen=True)
class PostgresColumn:
    """A column of a statement's result, with what `pg_type` says of its type.

    A domain's is the type that it is made of.
    """

    name: str
    type_name: str
    is_array: bool
    is_composite: bool
    precision: int | None
    scale: int | None

    @property
    def _decimal(self) -> str:
        """The decimal type that Arrow has for it, if it has one."""
        if self.type_name != "numeric" or self.precision is None or self.scale is None:
            return ""
        fits = self.precision <= _DIGITS and 0 <= self.scale <= self.precision
        return f"numeric({self.precision},{self.scale})" if fits else ""

    def sent(self) -> str:
        """Return the SQL of the column, whose value Arrow holds as the database does."""
        column = f"q.{quoted(self.name)}"
        if self.type_name in _SENT_AS_THEY_ARE:
            return column
        if decimal := self._decimal:
            # DuckDB would read NaN as 0. The cast fails, and the server says which text it was of.
            said = literal(f"{REFUSED}the column {self.name} holds ")
            refused = f"({said} || {column}::text)::{decimal}"
            # The cast around it is for domains, which lose precision and scale in a `case`.
            return f"(case when {column} = 'NaN' then {refused} else {column} end)::{decimal}"
        if self.is_array or self.is_composite:
            return f"to_json({column})::text"
        if self.type_name == "oid":
            return f"{column}::int8"
        # The text of money is in the server's language.
        return f"{column}::numeric::text" if self.type_name == "money" else f"{column}::text"

    def received(self, column: str) -> str:
        """Return the SQL by which DuckDB makes what lands of the column that was sent."""
        return f"{column}::varchar" if self.type_name == "uuid" else column


def result_columns(connection: sa.Connection, sql: str) -> list[PostgresColumn]:
    """Return the columns of a statement, which is planned and not run."""
    plain = connection.execution_options(no_parameters=True)
    result = plain.exec_driver_sql(f"select * from {sql} limit 0")
    cursor = result.cursor
    described: list[Any] = list(cursor.description or []) if cursor else []
    result.close()
    oids: list[int] = sorted({each[1] for each in described})
    types = {row.oid: row for row in connection.execute(_TYPES, {"oids": oids})}
    return [_column(types[each[1]], each[0], each[4], each[5]) for each in described]


def _column(
    kind: "sa.Row[Any]", name: str, precision: int | None, scale: int | None
) -> PostgresColumn:
    type_name = kind.typname if kind.schema == "pg_catalog" else f"{kind.schema}.{kind.typname}"
    is_array, is_composite = kind.typcategory == "A", kind.typtype == "c"
    return PostgresColumn(name, type_name, is_array, is_composite, precision, scale)


def month_condition(
    settings: SqlSettings, columns: Sequence[PostgresColumn], start: str, end: str
) -> str:
    """Return the SQL condition that a row belongs to the month; months are those of UTC.

    Raises:
        SourceError: the month column holds neither dates nor times.
    """
    column = next(each for each in columns if each.name == settings.month_column)
    kind = _MONTH_LITERALS.get(column.type_name)
    if kind is None:
        raise SourceError(
            f"{settings.place}: month_column {column.name!r} is of the type {column.type_name}, "
            "and must be a date or timestamp: name another column, or write a `query` that "
            f"converts it, such as to_timestamp({column.name}) as {column.name}_at"
        )
    name, zone = f"q.{quoted(column.name)}", "+00" if kind == "timestamptz" else ""
    return f"{name} >= {kind} '{start}{zone}' and {name} < {kind} '{end}{zone}'"
