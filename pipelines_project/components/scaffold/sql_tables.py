"""The `defs.yaml` of a database: a table for each one of its catalogue."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

import dlt
from pydantic import BaseModel, Field

from pipelines_project.components.scaffold.catalogue import CatalogueTable, catalogue
from pipelines_project.components.scaffold.document import (
    Document,
    ProposedTable,
    literal,
    one_line,
)
from pipelines_project.components.scaffold.month_columns import month_column
from pipelines_project.components.scaffold.scaffolder import DocumentScaffolder, asked, asked_month
from pipelines_project.components.scaffold.table_names import table_name
from pipelines_project.sources.sql.columns import read_columns
from pipelines_project.sources.sql.settings import SqlSettings

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class SqlTablesParams(BaseModel):
    """What `dg scaffold defs pipelines_project.components.SqlTables` takes."""

    connection: str | None = Field(
        default=None, description="The environment variable that holds the database's URL."
    )
    pattern: list[str] | None = Field(
        default=None,
        description="Which tables: orders*, or sales.* for those of another schema; all tables of "
        "the default schema if none is given.",
    )
    start_month: str | None = Field(default=None, description="The first month there is, YYYY-MM.")
    views: bool = Field(default=False, description="Whether views are proposed too.")


class SqlTablesScaffolder(DocumentScaffolder[SqlTablesParams]):
    """Proposes the tables of a database."""

    @classmethod
    def get_scaffold_params(cls) -> type[SqlTablesParams]:
        """Return the parameters."""
        return SqlTablesParams

    def document(self, source: str, params: SqlTablesParams) -> Document:
        """Return a document with each table that fits a pattern."""
        connection = asked(
            params.connection,
            "--connection",
            "the environment variable that holds the database's URL",
        )
        # What was given may be the URL itself, so that it is not quoted.
        if not _VARIABLE.fullmatch(connection):
            raise ValueError(
                "--connection must be the name of an environment variable, such as SHOP_URL, and "
                "not its value"
            )
        start_month = asked_month(params.start_month)
        patterns = params.pattern or []
        found = catalogue(connection, patterns, params.views)
        readable = [table for table in found if _is_readable(table)]
        if not readable:
            asked_for = ", ".join(patterns) or "the default schema"
            raise ValueError(
                f"the database that {connection} names has no table that fits {asked_for}: give "
                "another --pattern, such as sales.*, or --views true"
            )
        return Document(
            heading=[
                f"Proposed by `dg scaffold` from the catalogue of the database that {connection} "
                "names.",
                "A table without month_column is a snapshot: it lands whole, in the current month.",
            ],
            attributes={
                "source": source,
                "connection": connection,
                "start_month": start_month,
            },
            tables=list(_proposed(readable)),
            left_out=[
                f"Left out: {one_line(table.path)}, whose name `table` cannot say: read it by a "
                "`query`."
                for table in found
                if not _is_readable(table)
            ],
        )


def _is_readable(table: CatalogueTable) -> bool:
    """Tell whether the setting `table` can name it."""
    return "." not in table.name and "." not in (table.schema or "") and table.path.isprintable()


def _proposed(tables: Sequence[CatalogueTable]) -> Iterator[ProposedTable]:
    names = [table.name for table in tables]
    taken: set[str] = set()
    for table in tables:
        is_twice = names.count(table.name) > 1
        name = table_name(table.path if is_twice else table.name, taken)
        taken.add(name)
        key, on_key = _key(table)
        column, on_month = month_column(table.dates)
        settings: dict[str, Any] = {"name": name, "table": table.path}
        if table.comment:
            settings["description"] = one_line(table.comment)
        if key:
            settings["key"] = key
        if column:
            settings["month_column"] = column
        yield ProposedTable(literal(settings), [*on_key, *on_month])


def _key(table: CatalogueTable) -> tuple[list[str], list[str]]:
    """Return the key, in the names that its columns land under, and comments on the choice."""
    landed = _landed_names(table)
    if table.key:
        return [landed[column] for column in table.key], []
    if not table.unique:
        return [], ["No primary key: add key, if some columns tell the rows apart."]
    key = min(table.unique, key=len)
    return [landed[column] for column in key], [
        f"No primary key; {', '.join(key)} is unique and never null."
    ]


def _landed_names(table: CatalogueTable) -> dict[str, str]:
    settings = SqlSettings(name="catalogue", connection="", table=table.path)
    naming = dlt.Schema("catalogue").naming
    return read_columns(settings, list(table.columns), naming)
