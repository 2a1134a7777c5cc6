"""The data under test: landing zone and warehouse of a folder, what they hold, and what they may.

A month's rows are compared as a multiset, without dlt's own columns and without nulls, so that a
column that another load added makes no difference.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from pipelines_project.landing.zone import LandingZone
from pipelines_project.warehouse.database import Warehouse
from pipelines_project_tests.faults.figures import Count
from pipelines_project_tests.faults.stores import Stores
from pipelines_project_tests.landings import rows_of

_OWN = {"_dlt_id", "_dlt_load_id", "month"}

Rows = Counter[frozenset[tuple[str, Any]]]


class Month(NamedTuple):
    """One month of one table."""

    source: str
    table: str
    month: str


class Held(NamedTuple):
    """What is held of a month; None where there is nothing, not even an empty load."""

    landed: Rows | None
    loaded: Rows | None


def uncounted(_name: str, _number: int) -> None:
    """Add to no figure."""


@dataclass(frozen=True)
class LiveData:
    """What runs under test write to.

    Attributes:
        stores: where landing zone and warehouse are.
        is_merged: whether a table is one whole, and not a row set for each month.
        count: adds up what is compared.
    """

    stores: Stores
    is_merged: bool = False
    count: Count = uncounted

    @property
    def data(self) -> Path:
        return self.stores.data

    @property
    def landing(self) -> LandingZone:
        return self.stores.landing

    @property
    def warehouse(self) -> Warehouse:
        return self.stores.warehouse(lock_timeout_seconds=30)

    def save(self, name: str) -> None:
        """Keep the data as it is now under a name."""
        self.stores.save(name)

    def restore(self, name: str = "") -> None:
        """Bring back what was kept under the name, or nothing."""
        self.stores.restore(name)

    def held(self, month: Month) -> Held:
        """Return what readers find of the month, having checked that each part is one load."""
        loaded, ledger = self._loaded(month)
        assert bool(ledger) or self.is_merged or not loaded
        if ledger:
            [(_, count)] = ledger
            assert self.is_merged or count == len(loaded)
            # A load with the same rows as the one before leaves them, with its id, as they are.
            assert self.is_merged or len({row["_dlt_load_id"] for row in loaded}) <= 1
        return Held(self.landed(month), _counted(loaded) if ledger else None)

    def landed(self, month: Month) -> Rows | None:
        """Return the rows of the month's current load, having checked that they are its own."""
        landed = self.landing.month(*month).current_files()
        if landed is None:
            return None
        rows = rows_of(self.landing, landed)
        assert {row["_dlt_load_id"] for row in rows} <= {landed.load_id}
        return _counted(rows)

    def _loaded(self, month: Month) -> tuple[list[dict[str, Any]], list[tuple[str, int]]]:
        """Return the warehouse's rows of the month, and what its ledger says of them."""
        source, table, key = month
        if not (self.stores.database or Path(self.warehouse.url).exists()):
            return [], []
        with self.warehouse.connect() as connection:
            tables = connection.execute(
                "select schema_name || '.' || table_name from duckdb_tables() "
                "where database_name = 'warehouse'"
            ).fetchall()
            if ("ledger.loads",) not in tables:
                return [], []
            ledger = connection.execute(
                "select load_id, row_count from ledger.loads "
                "where (source, table_name, month) = ($source, $table, $month)",
                {"source": source, "table": table, "month": key},
            ).fetchall()
            if (f"{source}.{table}",) not in tables:
                return [], ledger
            rows = connection.execute(
                f"select * from {source}.{table} where month = $month or $is_merged",
                {"month": key, "is_merged": self.is_merged},
            )
            return rows.to_arrow_table().to_pylist(), ledger

    def compare(self, month: Month, allowed: Mapping[str, Held]) -> tuple[str, str]:
        """Return the names of what landing and warehouse hold of the month, whole.

        Raises:
            AssertionError: one of them holds something else than each of the allowed.
        """
        held = self.held(month)
        landed = self._name(held.landed, {name: each.landed for name, each in allowed.items()})
        loaded = self._name(held.loaded, {name: each.loaded for name, each in allowed.items()})
        return landed, loaded

    def _name(self, rows: Rows | None, allowed: Mapping[str, Rows | None]) -> str:
        for name, expected in allowed.items():
            if rows == expected:
                self.count("rows compared", (rows or Counter()).total())
                return name
        lost, doubled = min(
            (
                (
                    (each or Counter()) - (rows or Counter()),
                    (rows or Counter()) - (each or Counter()),
                )
                for each in allowed.values()
            ),
            key=lambda pair: pair[0].total() + pair[1].total(),
        )
        self.count("rows lost", lost.total())
        self.count("rows doubled", doubled.total())
        raise AssertionError(f"{lost.total()} rows lost, {doubled.total()} too many")

    def assert_tidy(self, months: Iterable[Month]) -> None:
        """Check that the data is one whole load of each of the months, and no other file.

        Raises:
            AssertionError: a file is missing, cut off, or belongs to no load.
        """
        expected: set[str] = set()
        for month in months:
            expected |= self._files_of(month)
        found = self.stores.landed_files()
        assert found == expected, f"too many: {found - expected}, too few: {expected - found}"
        assert [*(self.data / "tmp").iterdir()] == []
        in_database = self.stores.database is not None
        warehouse = set[str]() if in_database else {"warehouse.duckdb"}
        assert {path.name for path in self.data.glob("warehouse*")} == warehouse

    def _files_of(self, month: Month) -> set[str]:
        """Return the files of the month's current load, having compared them with its record."""
        place = self.landing.month(*month)
        load = place.current_files()
        assert load
        place.check_content(load.record)
        files = [place.record_path(load.load_id), *place.paths(load.record)]
        return {file.removeprefix(f"{self.stores.root}/landing/") for file in files}


def _counted(rows: Iterable[Mapping[str, Any]]) -> Rows:
    return Counter(
        frozenset((k, v) for k, v in row.items() if k not in _OWN and v is not None) for row in rows
    )
