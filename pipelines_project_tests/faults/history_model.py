"""A naive model of a table with history, beside the real one, through months in any order."""

import tempfile
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

import hypothesis.strategies as st
import pyarrow as pa
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from pipelines_project.landing.zone import LandingZone
from pipelines_project.warehouse.database import Warehouse, WarehouseError
from pipelines_project.warehouse.load_month import load_month
from pipelines_project.warehouse.loaders.history import History
from pipelines_project.warehouse.versions.apply_versions import apply_versions
from pipelines_project.warehouse.versions.files import read_versions
from pipelines_project_tests.landings import place_of, write_load

MONTHS = ("2024-01", "2024-02", "2024-03", "2024-05")
MONTH = st.sampled_from(MONTHS)
# Few, so that months often state the same.
ROW = st.sampled_from(
    [
        {"name": "a", "day": 10},
        {"name": "a", "day": 10, "size": 1},
        {"name": "b", "day": 45, "size": 1.5},
        {"name": "b", "day": -3},
    ]
)
STATED = st.dictionaries(st.sampled_from([1, 2, 3]), ROW, max_size=3)
_RENAME = "alter table demo.events rename column name to title"
_START = datetime(2024, 1, 1, tzinfo=UTC)

Stated = dict[int, dict[str, Any]]
"""What a month states, by key."""


@dataclass
class Version:
    """A version of a row, as a person would write the history down."""

    key: int
    row: dict[str, Any]
    month: str
    begins: datetime
    ends: datetime | None = None
    until: str | None = None


def history(months: dict[str, Stated], *, whole_months: bool, by_column: bool) -> list[Version]:
    """Go through the months in order, and write down what changes."""
    written: list[Version] = []
    current: dict[int, Version] = {}
    last: dict[int, Version] = {}
    for month, stated in sorted(months.items()):
        start = datetime.fromisoformat(f"{month}-01T00:00:00Z")
        for key in [*current] if whole_months else []:
            if key not in stated:
                gone = current.pop(key)
                gone.ends, gone.until = max(start, gone.begins), month
        for key, row in stated.items():
            before = current.get(key)
            if whole_months and before and before.row == row:
                continue
            begins = row["changed"] if by_column else start
            if not before and key in last:
                begins = max(begins, start)
            if key in last:
                begins = max(begins, last[key].begins)
            if before:
                before.ends, before.until = begins, month
            current[key] = last[key] = Version(key, row, month, begins)
            written.append(last[key])
    return written


class Histories(RuleBasedStateMachine):
    """Months are landed and loaded, in whatever order and again, and a column is renamed."""

    whole_months: ClassVar[bool]
    by_column: ClassVar[bool]
    steps = 0

    @initialize()
    def start(self) -> None:
        self.stack = ExitStack()
        folder = self.stack.enter_context(tempfile.TemporaryDirectory())
        self.zone = LandingZone(url=f"{folder}/landing")
        warehouse = Warehouse(url=f"{folder}/warehouse.duckdb")
        self.connection = self.stack.enter_context(warehouse.connect())
        self.loader = History(("id",), self.whole_months, "changed" if self.by_column else None)
        self.landed: dict[str, Stated] = {}
        self.loaded: dict[str, Stated] = {}
        self.loads = 0
        versions = Path(folder, "versions")
        versions.mkdir()
        (versions / "001_rename.sql").write_text(_RENAME)
        self.versions = read_versions(versions, "demo")

    def teardown(self) -> None:
        if hasattr(self, "stack"):
            self.stack.close()

    @rule(month=MONTH, stated=STATED)
    def land(self, month: str, stated: Stated) -> None:
        self.loads += 1
        rows = {key: _with_time(row) for key, row in stated.items()}
        columns = {"id": 0, **dict.fromkeys(name for row in rows.values() for name in row)}
        made = [dict.fromkeys(columns) | {"id": key, **row} for key, row in rows.items()]
        table = pa.Table.from_pylist(made) if made else pa.table({"id": [0]})[:0]
        write_load(place_of(self.zone, month), f"{self.loads}.5", [table])
        self.landed[month] = rows

    @precondition(lambda self: self.landed)
    @rule(month=MONTH)
    def load(self, month: str) -> None:
        if month not in self.landed:
            return
        done = load_month(self.connection, place_of(self.zone, month), self.loader)
        assert done.rows == len(self.landed[month])
        self.loaded[month] = self.landed[month]

    @rule(month=MONTH, stated=STATED)
    def land_and_load(self, month: str, stated: Stated) -> None:
        self.land(month, stated)
        self.load(month)

    @rule()
    def rename(self) -> None:
        """Rename a column on purpose, which is refused while the table is there without it."""
        with suppress(WarehouseError):
            apply_versions(self.connection, "demo", self.versions)

    @invariant()
    def every_step_is_counted(self) -> None:
        self.steps += 1

    @invariant()
    def the_table_is_what_loading_all_months_in_order_gives(self) -> None:
        if not getattr(self, "loaded", None):
            return
        modes = {"whole_months": self.whole_months, "by_column": self.by_column}
        expected = [_told(each) for each in history(self.loaded, **modes)]
        found = self.connection.execute("from demo.events").to_arrow_table().to_pylist()
        assert sorted(map(_of_table, found), key=str) == sorted(expected, key=str)

    @invariant()
    def every_loaded_month_is_complete(self) -> None:
        for month, stated in getattr(self, "loaded", {}).items():
            if self.landed[month] == stated:
                place = place_of(self.zone, month)
                load = place.current_files()
                assert load
                assert self.loader.is_complete(self.connection, place, load, len(stated))
                assert self.loader.changed_keys(self.connection, place, load) == 0


def _with_time(row: dict[str, Any]) -> dict[str, Any]:
    changed = datetime.fromtimestamp(_START.timestamp() + row["day"] * 86_400, UTC)
    return {name: value for name, value in row.items() if name != "day"} | {"changed": changed}


def _told(version: Version) -> tuple[Any, ...]:
    row = (version.row["name"], version.row.get("size"), version.row["changed"])
    times = (version.month, version.until, version.begins, version.ends, version.until is None)
    return (version.key, *row, *times)


def _of_table(row: dict[str, Any]) -> tuple[Any, ...]:
    row = {"name": row.get("title"), **row}
    names = ("id", "name", "size", "changed", "month", "until_month", "valid_from", "valid_to")
    return (*(row.get(name) for name in names), row["is_current"])
