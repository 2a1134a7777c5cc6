"""The checks of tables whose months are merged: each `id` is one row, whatever month it came from.

As those of `checks`, they name the months where their truth does not hold, and do not block.
"""

from collections.abc import Mapping, Sequence

import dagster as dg

from pipelines_project.landing.zone import LandingZone
from pipelines_project.orchestration.checks.tables import (
    check_result,
    is_loaded,
    months_to_check,
    read_again_if_deleted,
)
from pipelines_project.table import Table
from pipelines_project.warehouse.database import Warehouse, qualified, quoted
from pipelines_project.warehouse.loaders.merge_month import VERSION_COLUMN, missing_rows


def have_unique_ids(table: Table) -> dg.AssetChecksDefinition:
    """Return the check that the whole warehouse table has each id once."""

    @dg.asset_check(
        asset=table.warehouse_key,
        name=f"{table.name}_have_unique_ids",
        description="Each id is one row, over all months.",
    )
    def check(warehouse: Warehouse) -> dg.AssetCheckResult:
        if not is_loaded(warehouse, table.source, table.name):
            return check_result({}, [])
        doubled = warehouse.rows(
            f"""
            select id, count(*), string_agg(month, ', ' order by month) from {_name(table)}
            group by id having count(*) > 1 order by id limit 10
            """
        )
        wrong = {str(row_id): f"{rows} rows, of {months}" for row_id, rows, months in doubled}
        return check_result(wrong, [])

    return check


def updates_are_in_their_month(table: Table) -> dg.AssetChecksDefinition:
    """Return the check that a row last changed in the month that it was landed for."""

    @dg.asset_check(
        asset=table.warehouse_key,
        name=f"{table.name}_were_updated_in_their_month",
        description=f"The {VERSION_COLUMN} of a row lies in its month.",
    )
    def check(
        context: dg.AssetCheckExecutionContext, landing: LandingZone, warehouse: Warehouse
    ) -> dg.AssetCheckResult:
        months = months_to_check(context, table, landing)
        if not is_loaded(warehouse, table.source, table.name):
            return check_result({}, months)
        outside = warehouse.rows(
            f"""
            select month, count(*) || ' rows, from ' || min({VERSION_COLUMN}) || ' to '
                || max({VERSION_COLUMN})
            from {_name(table)}
            where list_contains($months, month)
                and strftime({VERSION_COLUMN}, '%Y-%m') is distinct from month
            group by month
            """,
            {"months": months},
        )
        return check_result(dict(outside), months)

    return check


def warehouse_has_landed_rows(table: Table) -> dg.AssetChecksDefinition:
    """Return the check that the warehouse has what is landed, or newer.

    A month of the table can have fewer rows than its load: those that moved on to a later month.
    """

    @dg.asset_check(
        asset=table.warehouse_key,
        name="warehouse_rows_match_landing",
        description="The warehouse has every id of each month's current load, with at least its "
        f"{VERSION_COLUMN}.",
    )
    def check(
        context: dg.AssetCheckExecutionContext, landing: LandingZone, warehouse: Warehouse
    ) -> dg.AssetCheckResult:
        months = months_to_check(context, table, landing)

        if not is_loaded(warehouse, table.source, table.name):
            landed = [m for m in months if landing.current_load(table.source, table.name, m)]
            return check_result(dict.fromkeys(landed, "nothing was ever loaded"), months)

        @read_again_if_deleted
        def missing(month: str) -> int:
            place = table.place(landing, month)
            load = landing.current_files(place.source, place.table, month)
            if load is None:
                return 0
            return missing_rows(connection, place, load.files, table.key[0])

        with warehouse.connect(landing) as connection:
            counts = {month: missing(month) for month in months}
        wrong = {m: f"{rows} ids missing or older" for m, rows in counts.items() if rows}
        return check_result(wrong, months)

    return check


def references_are_known(
    table: Table, references: Mapping[str, Sequence[str]]
) -> dg.AssetChecksDefinition:
    """Return the check that what a row refers to is there, which only warns.

    What is unknown may have been deleted for good, or may not be landed yet.

    Args:
        table: the table whose rows refer to others.
        references: for each of its columns, the tables of the same source that may have the id.
    """
    others = sorted({other for known in references.values() for other in known})

    @dg.asset_check(
        asset=table.warehouse_key,
        name=f"{table.name}_refer_to_known_rows",
        description=f"Every {', '.join(references)} is an id in {', '.join(others)}.",
        additional_deps=[dg.AssetKey(["warehouse", table.source, other]) for other in others],
    )
    def check(warehouse: Warehouse) -> dg.AssetCheckResult:
        loaded = {name for name in others if is_loaded(warehouse, table.source, name)}
        if not is_loaded(warehouse, table.source, table.name):
            return check_result({}, [], dg.AssetCheckSeverity.WARN)
        unknown = {
            column: warehouse.rows(_unknown_query(table, column, [k for k in known if k in loaded]))
            for column, known in references.items()
        }
        counts = {column: rows[0][0] for column, rows in unknown.items()}
        return dg.AssetCheckResult(
            passed=not any(counts.values()),
            severity=dg.AssetCheckSeverity.WARN,
            metadata={"rows_with_unknown": counts},
        )

    return check


def _unknown_query(table: Table, column: str, known: Sequence[str]) -> str:
    ids = [f'select id from "{table.source}"."{name}"' for name in known]
    among = " union all ".join(ids) or "select null where false"
    return (
        f"select count(*) from {_name(table)} as rows "
        f"where {quoted(column)} is not null and {quoted(column)} not in ({among})"
    )


def _name(table: Table) -> str:
    return qualified(table.source, table.name)
