"""The tables of a database, as SQLAlchemy's inspector finds them in its catalogue."""

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine.reflection import Inspector, ObjectKind
from sqlalchemy.exc import SAWarning

from pipelines_project.components.scaffold.month_columns import DateColumn, is_date
from pipelines_project.sources.sql.connection import (
    CONNECT_SECONDS,
    DATABASE_ERRORS,
    database_url,
    engine_of,
    explained,
)
from pipelines_project.sources.sql.settings import SqlSettings

_WAITS = {"psycopg": "connect_timeout", "pymysql": "connect_timeout", "pymssql": "login_timeout"}
_SYSTEM_SCHEMAS = frozenset(
    {"information_schema", "pg_catalog", "mysql", "performance_schema", "sys", "guest"}
)
_PARTITIONS = """
    select n.nspname, c.relname from pg_catalog.pg_class c
    join pg_catalog.pg_namespace n on n.oid = c.relnamespace where c.relispartition
"""


@dataclass(frozen=True)
class CatalogueTable:
    """A table or view.

    Attributes:
        schema: None for the database's default one.
        name: in the database.
        columns: their names.
        key: the columns of the primary key.
        unique: the columns of each other constraint that tells rows apart.
        dates: the columns of dates and timestamps.
        comment: what the database says of the table.
    """

    schema: str | None
    name: str
    columns: Sequence[str]
    key: Sequence[str]
    unique: Sequence[Sequence[str]]
    dates: Sequence[DateColumn]
    comment: str

    @property
    def path(self) -> str:
        """The name, with the schema if it is not the default one."""
        return f"{self.schema}.{self.name}" if self.schema else self.name


def catalogue(connection: str, patterns: Sequence[str], views: bool) -> list[CatalogueTable]:
    """Return the tables that fit one of the patterns, in the order of their names.

    Args:
        connection: the environment variable that holds the database's URL.
        patterns: such as `orders*` in the default schema, or `sales.*`; none for all tables of the
            default schema.
        views: whether views are wanted too.

    Raises:
        SourceError: the database cannot be reached; the text does not hold its URL.
    """
    settings = SqlSettings("catalogue", connection)
    try:
        url = database_url(settings)
        waits = {
            _WAITS[each]: CONNECT_SECONDS for each in [url.get_dialect().driver] if each in _WAITS
        }
        with engine_of(url, waits).connect() as opened, warnings.catch_warnings():
            # Of a type that SQLAlchemy does not know; landing reads it as it is.
            warnings.simplefilter("ignore", SAWarning)
            return _sorted(opened, patterns or ["*"], views)
    except DATABASE_ERRORS as error:
        failure = explained(settings, error)
    raise failure


def _sorted(opened: sa.Connection, patterns: Sequence[str], views: bool) -> list[CatalogueTable]:
    inspector = sa.inspect(opened)
    hidden = set[tuple[str, str]]()
    if opened.dialect.name == "postgresql":
        hidden = {(schema, name) for schema, name in opened.execute(sa.text(_PARTITIONS))}
    found = [
        table
        for schema in _schemas(inspector, patterns)
        for table in _tables(
            inspector, schema, patterns, ObjectKind.ANY if views else ObjectKind.TABLE
        )
        if (schema or inspector.default_schema_name, table.name) not in hidden
    ]
    return sorted(found, key=lambda table: (table.schema or "", table.name.lower(), table.name))


def _schemas(inspector: Inspector, patterns: Sequence[str]) -> list[str | None]:
    """Return the schemas that a pattern can be about, None for the default one."""
    default = inspector.default_schema_name
    wanted = {pattern.partition(".")[0] for pattern in patterns if "." in pattern}
    named = [
        schema
        for schema in inspector.get_schema_names()
        if schema != default
        and any(
            fnmatchcase(schema, each) and (each == schema or schema not in _SYSTEM_SCHEMAS)
            for each in wanted
        )
    ]
    return [None, *named]


def _tables(
    inspector: Inspector, schema: str | None, patterns: Sequence[str], kind: ObjectKind
) -> Iterator[CatalogueTable]:
    every: Any = inspector.get_multi_columns(schema=schema, kind=kind)
    # SQLite has no type of dates, and many write them as texts.
    has_texts = inspector.dialect.name == "sqlite"
    default = inspector.default_schema_name
    names = [name for _, name in every if _fits(schema, default, name, patterns)]
    if not names:
        return
    asked: Any = {"schema": schema, "filter_names": names, "kind": kind}
    keys: Any = inspector.get_multi_pk_constraint(**asked)
    unique: Any = inspector.get_multi_unique_constraints(**asked)
    comments = _comments(inspector, asked)
    for name in names:
        at = (schema, name)
        columns = every[at]
        nullable = {each["name"] for each in columns if each.get("nullable", True)}
        yield CatalogueTable(
            schema,
            name,
            [each["name"] for each in columns],
            (keys.get(at) or {}).get("constrained_columns") or [],
            [
                each["column_names"]
                for each in unique.get(at) or []
                if not nullable & {*each["column_names"]}
            ],
            [
                DateColumn(each["name"], each["name"] in nullable)
                for each in columns
                if isinstance(each["type"], sa.Date | sa.DateTime)
                or (has_texts and isinstance(each["type"], sa.String) and is_date(each["name"]))
            ],
            comments.get(at) or "",
        )


def _comments(inspector: Inspector, asked: Any) -> dict[Any, str]:
    try:
        found: Any = inspector.get_multi_table_comment(**asked)
    except NotImplementedError:
        # Of SQLite and others, which have none.
        return {}
    return {at: (each or {}).get("text") or "" for at, each in found.items()}


def _fits(schema: str | None, default: str | None, name: str, patterns: Sequence[str]) -> bool:
    for pattern in patterns:
        of_schema, point, of_name = pattern.partition(".")
        if schema is None and fnmatchcase(name, pattern):
            return True
        if point and fnmatchcase(schema or default or "", of_schema) and fnmatchcase(name, of_name):
            return True
    return False
