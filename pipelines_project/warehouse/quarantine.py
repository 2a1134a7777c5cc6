"""The rows that a month's load refused, as the warehouse table `<source>.<table>_quarantine`."""

import duckdb

from pipelines_project.landing.landed_month import LandedMonth, Load
from pipelines_project.landing.read_files import READ_FILES, landed_types
from pipelines_project.names import quarantine_table
from pipelines_project.sql_text import qualified
from pipelines_project.warehouse.altering import add_columns, stored_types
from pipelines_project.warehouse.columns import MONTH_COLUMN, column_types


def load_quarantine(connection: duckdb.DuckDBPyConnection, place: LandedMonth, load: Load) -> None:
    """Make the month's rows of the quarantine table those of its current load.

    Args:
        connection: in the transaction that loads the month.
        place: the landed month.
        load: its current load; one that refused nothing leaves the month without such rows.
    """
    table = quarantine_table(place.table)
    name, have = qualified(place.source, table), column_types(connection, place.source, table)
    if have:
        month = {"month": place.month}
        connection.execute(f"delete from {name} where {MONTH_COLUMN} = $month", month)
    if not load.quarantined:
        return
    types = landed_types(connection, load.quarantined)
    if not have:
        connection.execute(f"create table {name} ({MONTH_COLUMN} varchar)")
    added = {column: types[column] for column in types.keys() - have.keys()}
    add_columns(connection, place.source, table, stored_types(connection, added))
    connection.execute(
        f"insert into {name} by name select *, $month as {MONTH_COLUMN} from {READ_FILES}",
        {"files": load.quarantined, "month": place.month},
    )
