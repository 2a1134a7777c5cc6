"""The sources of the demo, and how their made-up data is told from real data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import duckdb

from pipelines_project.landing.read_files import READ_FILES, readable
from pipelines_project.landing.zone import LandingZone
from pipelines_project.warehouse.database import Warehouse


@dataclass(frozen=True)
class DemoSource:
    """One source of the demo.

    Attributes:
        name: The source, which is also its asset group and begins the names of its settings.
        settings: Its settings, beside the address of its service.
        table: The table that tells made-up data from real data.
        made_up: The SQL condition that only made-up rows of the table meet.
        sample: The query whose answer the demo shows.
        months: The months to land; none for the last ones.
    """

    name: str
    settings: Mapping[str, str]
    table: str
    made_up: str
    sample: str
    months: Sequence[str] = ()

    def environment(self, inherited: Mapping[str, str]) -> dict[str, str]:
        """The inherited environment without any setting of the source but these."""
        prefix = f"{self.name.upper()}_"
        others = {name: value for name, value in inherited.items() if not name.startswith(prefix)}
        return others | dict(self.settings)

    def real_months(
        self, landing: LandingZone, warehouse: Warehouse, months: Sequence[str]
    ) -> list[str]:
        """The months of these that hold rows which no demo made, and which a demo would replace.

        Raises:
            LandingError: A month's files are gone.
            WarehouseError: The warehouse cannot be opened.
        """
        with warehouse.connect() as connection:
            loaded = self._loaded(connection, months)
            return [m for m in months if m in loaded or self._is_landed(connection, landing, m)]

    def _is_landed(
        self, connection: duckdb.DuckDBPyConnection, landing: LandingZone, month: str
    ) -> bool:
        place = landing.month(self.name, self.table, month)
        load = place.current_files()
        if load is None:
            return False
        query = f"select 1 from {READ_FILES} where {self._real} limit 1"
        with readable(place, load) as here:
            return bool(connection.execute(query, {"files": here.files}).fetchall())

    def _loaded(self, connection: duckdb.DuckDBPyConnection, months: Sequence[str]) -> set[str]:
        table = f"{self.name}.{self.table}"
        query = f"select distinct month from {table} where {self._real} and month in $months"
        try:
            return {month for (month,) in connection.execute(query, {"months": months}).fetchall()}
        except duckdb.CatalogException:
            # Nothing was loaded yet.
            return set()

    @property
    def _real(self) -> str:
        return f"not coalesce({self.made_up}, false)"


DEMO_SOURCES = [
    DemoSource(
        name="chess",
        settings={"CHESS_PLAYERS": "demo-anna,demo-boris", "CHESS_CONTACT": "demo@example.com"},
        table="games",
        made_up="player in ('demo-anna', 'demo-boris')",
        sample="""
select player, month, time_class, games, won, drawn, lost, best_rating
from chess_marts.player_months
where player in ('demo-anna', 'demo-boris')
order by games desc, player, month desc, time_class
limit 5
""",
    ),
    DemoSource(
        name="freshdesk",
        settings={},
        table="tickets",
        made_up="requester__email like '%@example.com'",
        sample="""
select month, group_name, opened, resolved, backlog, median_hours_to_resolution
from freshdesk_marts.ticket_months
order by month desc, group_name
limit 5
""",
    ),
    DemoSource(
        name="local_jsonl",
        settings={"RAW_URL": "data/raw"},
        table="synthetic_data",
        # The sample comes with the project, and files of one's own have tables of their own.
        made_up="true",
        sample="""
select month, count(*) as lines, count(distinct _dlt_load_id) as loads
from local_jsonl.synthetic_data
group by month
order by month
""",
        months=("2024-01", "2024-02", "2024-03"),
    ),
]
