"""Applying the versions of a source to the warehouse: in order, once, each in one transaction."""

from collections.abc import Mapping, Sequence

import duckdb

from pipelines_project.names import quarantine_table
from pipelines_project.sql_text import qualified, quoted
from pipelines_project.warehouse.altering import change_types
from pipelines_project.warehouse.columns import column_types
from pipelines_project.warehouse.conflicts import retried
from pipelines_project.warehouse.database import WarehouseError, transaction
from pipelines_project.warehouse.ledger import create_ledger, forget_loads
from pipelines_project.warehouse.rewriting import create_indexes, drop_indexes
from pipelines_project.warehouse.turns import WHOLE_WAREHOUSE, turn
from pipelines_project.warehouse.types import lost_value
from pipelines_project.warehouse.versions.changes import (
    Change,
    ChangeType,
    ColumnChange,
    CreateIndex,
    DropIndex,
    DropTable,
)
from pipelines_project.warehouse.versions.files import Version
from pipelines_project.warehouse.versions.record import (
    AppliedVersion,
    applied_versions,
    create_versions,
    recorded_shapes,
    write_version,
)
from pipelines_project.warehouse.versions.shape import shapes_after


def pending_versions(
    connection: duckdb.DuckDBPyConnection, source: str, versions: Sequence[Version]
) -> list[Version]:
    """Return the versions that are not applied yet.

    Raises:
        WarehouseError: an applied one was edited since, or is not there any more; it is named.
    """
    applied = applied_versions(connection, source)
    files = {version.number: version for version in versions}
    for number, record in applied.items():
        file = files.get(number)
        if file is None:
            raise WarehouseError(
                f"the version {record.name} of {source} is applied to the warehouse, and its file "
                "is not there: put it back, and undo what it does by another version"
            )
        if file.checksum != record.checksum:
            renamed = f", as {record.name}," if file.name != record.name else ""
            raise WarehouseError(
                f"{file.path} is applied to the warehouse{renamed} and was edited since: put it "
                "back as it was, and write what is to change as the next version"
            )
    return [version for version in versions if version.number not in applied]


def apply_versions(
    connection: duckdb.DuckDBPyConnection, source: str, versions: Sequence[Version]
) -> list[Version]:
    """Apply the versions that are not applied yet, and return them.

    A table that is not loaded yet has nothing to change: its loads create it as they make it.

    Args:
        connection: from `Warehouse.connect`.
        source: whose tables they change.
        versions: all there are, in order.

    Raises:
        WarehouseError: one of them cannot be applied, and its tables stay as they are, or one that
            is applied was edited; it is named.
    """
    pending = pending_versions(connection, source, versions)
    if pending:
        create_ledger(connection, source)
        retried()(create_versions, connection)
    for version in pending:
        try:
            retried()(_apply, connection, source, version)
        except (duckdb.Error, WarehouseError) as error:
            if version.number in applied_versions(connection, source):
                # Another run was first.
                continue
            raise WarehouseError(
                f"{version.path} cannot be applied: {error}\nThe warehouse is as it was, and "
                f"nothing of {source} is loaded before the file is mended"
            ) from error
    return pending


def _apply(connection: duckdb.DuckDBPyConnection, source: str, version: Version) -> None:
    with turn(connection, WHOLE_WAREHOUSE), transaction(connection):
        if version.number in applied_versions(connection, source):
            return
        before = recorded_shapes(connection, source)
        after = shapes_after(version.changes, before)
        for table, shape in before.items():
            if after[table] != shape:
                drop_indexes(connection, source, table, shape)
        for change in version.changes:
            _make(connection, source, change)
        record = AppliedVersion(version.number, version.name, version.checksum, version.sql)
        write_version(connection, source, record)
        for table, shape in after.items():
            create_indexes(connection, source, table, shape)


def _make(connection: duckdb.DuckDBPyConnection, source: str, change: Change) -> None:
    if isinstance(change, DropTable):
        forget_loads(connection, source, change.table)
        connection.execute(DropTable(quarantine_table(change.table)).sql(source))
    elif isinstance(change, DropIndex):
        # It went when the table was written anew.
        return
    else:
        have = column_types(connection, source, change.table)
        if not have:
            return
        _check(connection, source, change, have)
        if isinstance(change, CreateIndex):
            # When the version is recorded, with those that were there before.
            return
        if isinstance(change, ChangeType):
            change_types(connection, source, change.table, {change.column: change.type})
            return
    connection.execute(change.sql(source))


def _check(
    connection: duckdb.DuckDBPyConnection,
    source: str,
    change: ColumnChange | CreateIndex,
    have: Mapping[str, str],
) -> None:
    """Refuse a change of a column that the table has not, or that would change values."""
    columns = change.columns if isinstance(change, CreateIndex) else (change.column,)
    name = qualified(source, change.table)
    if missing := [column for column in columns if column not in have]:
        raise WarehouseError(f"{name} has no column {missing[0]}: there are {', '.join(have)}")
    if isinstance(change, ChangeType):
        value = quoted(change.column)
        is_lost = lost_value(value, have[change.column], change.type)
        query = f"select distinct {value} from {name} where {is_lost} limit 3"
        if lost := connection.execute(query).fetchall():
            examples = ", ".join(str(value) for (value,) in lost)
            raise WarehouseError(
                f"{name}: {change.column} has values that {change.type} does not hold as they are, "
                f"for example {examples}"
            )
