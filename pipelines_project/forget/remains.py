"""Removing what a warehouse keeps of deleted rows: in free blocks, snapshots and pages."""

import duckdb

from pipelines_project.sql_text import literal, qualified
from pipelines_project.warehouse import rewriting
from pipelines_project.warehouse.attachment import LAKE_CATALOG, WAREHOUSE, Kind, kind_of
from pipelines_project.warehouse.columns import column_types
from pipelines_project.warehouse.conflicts import retried
from pipelines_project.warehouse.database import transaction
from pipelines_project.warehouse.turns import WHOLE_WAREHOUSE, has_turns, turn
from pipelines_project.warehouse.versions.record import shape_of

_FILLER = "main.free_blocks"
_STATISTICS = ("ducklake_file_column_stats", "ducklake_table_column_stats")


def rewrite(connection: duckdb.DuckDBPyConnection, schema: str, table: str) -> None:
    """Write a table anew, because rows that were deleted stay where it is otherwise."""
    if not column_types(connection, schema, table):
        return
    if kind_of(connection) is Kind.POSTGRES:
        _vacuum(connection, WAREHOUSE, qualified(schema, table))
    else:
        retried()(_rewrite, connection, schema, table)


def _rewrite(connection: duckdb.DuckDBPyConnection, schema: str, table: str) -> None:
    with turn(connection, WHOLE_WAREHOUSE), transaction(connection):
        rewriting.rewrite(connection, schema, table, qualified(schema, table))
        shape = shape_of(connection, schema, table)
        rewriting.create_indexes(connection, schema, table, shape)


def remove_what_was(connection: duckdb.DuckDBPyConnection) -> None:
    """Remove what the warehouse still has of tables as they were before."""
    kind = kind_of(connection)
    if kind is Kind.FILE:
        _overwrite_free_blocks(connection, WAREHOUSE)
    elif kind is Kind.LAKE:
        _expire(connection)


def _overwrite_free_blocks(connection: duckdb.DuckDBPyConnection, database: str) -> None:
    """Write over the blocks of a DuckDB file that hold what was deleted or replaced.

    A table of random numbers that is as large as they are takes their place, and goes.
    """
    connection.execute(f"checkpoint {database}")
    size = "select block_size * free_blocks from pragma_database_size() where database_name = $1"
    [(free,)] = connection.execute(size, [database]).fetchall()
    # A number takes eight bytes; a tenth more, because some blocks are for other things.
    numbers = f"select hash(range) as number from range({free // 8 * 11 // 10})"
    connection.execute(f"create or replace table {database}.{_FILLER} as {numbers}")
    connection.execute(f"checkpoint {database}")
    connection.execute(f"drop table {database}.{_FILLER}")
    connection.execute(f"checkpoint {database}")


def _expire(connection: duckdb.DuckDBPyConnection) -> None:
    """Remove every snapshot of DuckLake but the last, and the files that only others have.

    So go the files that no snapshot has, of runs that were killed: whoever writes waits meanwhile.
    """
    with turn(connection, WHOLE_WAREHOUSE):
        snapshots = "select snapshot_id from ducklake_snapshots($1) order by 1"
        found = connection.execute(snapshots, [WAREHOUSE]).fetchall()
        if older := [number for (number,) in found[:-1]]:
            connection.execute(
                f"call ducklake_expire_snapshots('{WAREHOUSE}', versions => {older})"
            )
        for function in ("ducklake_cleanup_old_files", "ducklake_delete_orphaned_files"):
            connection.execute(f"call {function}('{WAREHOUSE}', cleanup_all => true)")
        _forget_statistics(connection)


def _forget_statistics(connection: duckdb.DuckDBPyConnection) -> None:
    """Remove the smallest and largest values of columns, which DuckLake's catalog had."""
    if has_turns(connection):
        _vacuum(connection, LAKE_CATALOG, ", ".join(_STATISTICS))
    else:
        _overwrite_free_blocks(connection, LAKE_CATALOG)


def _vacuum(connection: duckdb.DuckDBPyConnection, database: str, tables: str) -> None:
    """Have PostgreSQL write tables anew; its own statistics have values of them too."""
    statement = literal(f"vacuum (full, analyze) {tables}")
    outside = "use_transaction = false"
    connection.execute(f"call postgres_execute('{database}', {statement}, {outside})")
