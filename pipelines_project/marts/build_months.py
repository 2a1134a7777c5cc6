"""Building a mart by month: only the months whose sources have changed since they were built."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

import duckdb

from pipelines_project.landing.content import columns_of
from pipelines_project.landing.sample import Sample
from pipelines_project.marts.build import create_macros, in_transaction, origins_of, swap_in
from pipelines_project.marts.lineage import Origins
from pipelines_project.marts.mart import Mart
from pipelines_project.marts.month_ledger import (
    BuiltFrom,
    Inputs,
    content_built,
    create_month_ledger,
    definition_built,
    definition_of,
    months_built,
    read_inputs,
    write_definition,
    write_months,
)
from pipelines_project.marts.month_rows import (
    NEW_ROWS,
    BuiltMonth,
    contents_of,
    no_rows,
    replace_months,
    row_counts,
)
from pipelines_project.months import months_before, stretches
from pipelines_project.warehouse.altering import stored_query, stored_types
from pipelines_project.warehouse.columns import column_types
from pipelines_project.warehouse.conflicts import retried
from pipelines_project.warehouse.database import Warehouse
from pipelines_project.warehouse.sample import sample_of


@dataclass(frozen=True)
class BuiltMonths:
    """What came of the months of a mart.

    Attributes:
        months: those that were asked for; all there are if the table was built whole.
        schema: the type of each column.
        whole: why the table was built whole, or "" if it was not.
        origins: the tables and columns that each column is made from; none if sqlglot cannot tell.
        sample: a few of its rows, where they were asked for.
    """

    months: Mapping[str, BuiltMonth]
    schema: dict[str, str]
    whole: str = ""
    origins: Origins = field(default_factory=Origins)
    sample: Sample | None = None


def build_months(
    warehouse: Warehouse,
    mart: Mart,
    months: Collection[str],
    *,
    full_refresh: bool = False,
    shows_rows: bool = False,
) -> BuiltMonths:
    """Bring months of a mart up to date in one transaction; if it fails, all stay as they were.

    The table is built whole, from every month, where it is not there yet, or its SQL or the type of
    a column is another than the one that it was built by: a table half by one and half by another
    would be what no full build comes to.

    Args:
        warehouse: the warehouse.
        mart: an incremental model.
        months: which to look at.
        full_refresh: build the table whole in any case.
        shows_rows: whether a few rows are to be shown, because no person is in them.

    Raises:
        MissingTablesError: a table that it reads is not there.
        NotPublishedError: it is built, and its file is as it was.
    """
    with warehouse.connect() as connection:
        retried()(create_month_ledger, connection, mart.schema)
        create_macros(connection, mart)
        asked = sorted({*months})
        built = retried()(_build_once, connection, mart, asked, full_refresh)
        if file := mart.published(warehouse):
            file.publish(connection, mart.table, lambda: content_built(connection, mart.full_name))
        return replace(
            built,
            origins=origins_of(connection, mart, built.schema),
            sample=sample_of(connection, mart.schema, mart.name) if shows_rows else None,
        )


def _build_once(
    connection: duckdb.DuckDBPyConnection, mart: Mart, months: Sequence[str], full_refresh: bool
) -> BuiltMonths:
    with in_transaction(connection, mart):
        schema = stored_types(connection, columns_of(connection, f"({mart.model.sql}\n)"))
        definition = definition_of(mart.model.definition, schema)
        inputs = read_inputs(connection, mart.model.reads, mart.model.header.lookback)
        if whole := _reason(connection, mart, definition, full_refresh):
            write_definition(connection, mart.full_name, definition)
            built = _build_whole(connection, mart, schema, inputs, months)
        else:
            built = _build_stale(connection, mart, schema, inputs, months)
        return BuiltMonths(built, schema, whole)


def _reason(
    connection: duckdb.DuckDBPyConnection, mart: Mart, definition: str, full_refresh: bool
) -> str:
    """Return why the table must be built whole, or ""."""
    before = definition_built(connection, mart.full_name)
    if not column_types(connection, mart.schema, mart.name) or before is None:
        return "it is built for the first time"
    if before != definition:
        return "its SQL, or the type of a column, has changed"
    return "full_refresh" if full_refresh else ""


def _build_whole(
    connection: duckdb.DuckDBPyConnection,
    mart: Mart,
    schema: Mapping[str, str],
    inputs: Inputs,
    months: Collection[str],
) -> dict[str, BuiltMonth]:
    rows_sql = stored_query(connection, mart.model.sql)
    connection.execute(f"create table {mart.new_table} as {rows_sql}")
    contents = contents_of(connection, mart.new_table, schema)
    swap_in(connection, mart)
    found = sorted({*months, *inputs.months, *contents})
    built = {month: contents.get(month, no_rows(schema)) for month in found}
    _write(connection, mart, inputs, built)
    return built


def _build_stale(
    connection: duckdb.DuckDBPyConnection,
    mart: Mart,
    schema: Mapping[str, str],
    inputs: Inputs,
    months: Sequence[str],
) -> dict[str, BuiltMonth]:
    before, held = months_built(connection, mart.full_name), row_counts(connection, mart, months)
    # A month with more or fewer rows than were built was written to by somebody else.
    known = {m: before[m] for m in months if m in before and held.get(m, 0) == before[m].rows}
    stale = [m for m in months if m not in known or known[m].inputs != inputs.of_month(m)]
    built: dict[str, BuiltMonth] = {}
    for first, last in stretches(stale):
        contents = _build_stretch(connection, mart, schema, first, last)
        for month in (m for m in stale if first <= m <= last):
            new = contents.get(month, no_rows(schema))
            is_same = month in known and known[month].content == new.content
            built[month] = replace(new, unchanged=is_same)
        changed = [m for m in stale if first <= m <= last and not built[m].unchanged]
        replace_months(connection, mart, changed)
    _write(connection, mart, inputs, built)
    return {m: built[m] if m in built else _skipped(known[m]) for m in months}


def _build_stretch(
    connection: duckdb.DuckDBPyConnection,
    mart: Mart,
    schema: Mapping[str, str],
    first: str,
    last: str,
) -> dict[str, BuiltMonth]:
    """Make the rows of some months, beside the table, and return what they come to."""
    read_from = [first, *months_before(first, mart.model.header.lookback)][-1]
    sql = stored_query(connection, mart.model.of_months(read_from, first, last))
    connection.execute(f"create or replace temp table {NEW_ROWS} as {sql}")
    return contents_of(connection, NEW_ROWS, schema)


def _skipped(known: BuiltFrom) -> BuiltMonth:
    return BuiltMonth(known.rows, known.content, unchanged=True, skipped=True)


def _write(
    connection: duckdb.DuckDBPyConnection,
    mart: Mart,
    inputs: Inputs,
    built: Mapping[str, BuiltMonth],
) -> None:
    """Record from what the months were built, and what came of it."""
    records = {
        month: BuiltFrom(inputs.of_month(month), each.content, each.rows)
        for month, each in built.items()
    }
    write_months(connection, mart.full_name, records)
