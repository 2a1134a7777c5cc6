"""What a loader is: how a load's rows enter a table, inside the transaction of `load_month`."""

from typing import ClassVar, Protocol

import duckdb

from pipelines_project.landing.landed_month import LandedMonth, Load


class Loader(Protocol):
    """How the rows of a load enter a table.

    Attributes:
        months_meet: whether loads of different months can write the same rows, so that no two may
            load into the table at once.
        keeps_other_months: whether rows of other months stay beside those of a load.
    """

    months_meet: ClassVar[bool]
    keeps_other_months: ClassVar[bool]

    def write(
        self, connection: duckdb.DuckDBPyConnection, place: LandedMonth, load: Load, columns: str
    ) -> int:
        """Write the rows, and return how many the load has.

        Args:
            connection: in a transaction.
            place: the landed month.
            load: its current load.
            columns: the select list over the load's files.

        Raises:
            WarehouseError: the rows do not fit.
        """
        ...

    def is_complete(
        self, connection: duckdb.DuckDBPyConnection, place: LandedMonth, load: Load, rows: int
    ) -> bool:
        """Tell whether the table still holds what the ledger says of the month.

        Args:
            connection: in a transaction.
            place: the landed month.
            load: the load that the ledger names.
            rows: the number of rows that it states.
        """
        ...
