"""A model of what landing zone and warehouse must hold, beside the real ones, through any steps.

A month is landed by a real run of dlt. Runs that overlap, or are killed at some step, are made
here: what dlt does to files is done in dlt's order. All else is the project's own code.
"""

import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import pyarrow as pa
import pytest
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, rule

from pipelines_project.landing.land_month import CLOCK_WAIT_SECONDS
from pipelines_project.landing.landed_month import LandedMonth
from pipelines_project.landing.zone import LandingError, LandingZone
from pipelines_project.warehouse.database import Warehouse, WarehouseError
from pipelines_project.warehouse.load_month import load_month
from pipelines_project.warehouse.loaders.replace_month import replace_month
from pipelines_project_tests.faults.works import clock_ahead
from pipelines_project_tests.landings import land, place_of, rows_of, write_load

MONTHS = ("2023-01", "2023-02")
MONTH = st.sampled_from(MONTHS)
ROW = st.fixed_dictionaries(
    {"number": st.integers(-9, 9) | st.floats(-9, 9, width=16)},
    optional={"note": st.sampled_from("ab")},
)
REPLACE = replace_month(("id",))

Rows = list[dict[str, Any]]


@dataclass(frozen=True, eq=False)
class Begun:
    """A run that lands: it may go on, or be killed and never heard of again."""

    month: str
    load_id: str
    rows: Rows

    @property
    def schema(self) -> str:
        """The columns, which are what makes one schema another."""
        return str(sorted({name for row in self.rows for name in row}))

    @property
    def table(self) -> pa.Table:
        """The rows as they land; a month without rows has columns too."""
        names = dict.fromkeys(name for row in self.rows for name in row)
        rows = [dict.fromkeys(names) | row for row in self.rows] or [{"id": 0, "number": 0}]
        return pa.Table.from_pylist(rows)[: len(self.rows)]


class Months(RuleBasedStateMachine):
    """The steps, what each must lead to, and what must hold after all of them."""

    begun = Bundle("begun")
    steps = 0

    @initialize()
    def start(self) -> None:
        self.stack = ExitStack()
        folder = self.stack.enter_context(tempfile.TemporaryDirectory())
        self.zone = LandingZone(url=f"{folder}/landing")
        self.warehouse = Warehouse(url=f"{folder}/warehouse.duckdb")
        self.clock = time.time() - 1_000_000
        self.runs: set[Begun] = set()
        self.loads: dict[str, dict[str, Begun]] = {month: {} for month in MONTHS}
        self.loaded: dict[str, Begun] = {}
        self.may_lack_files: set[str] = set()

    def teardown(self) -> None:
        if hasattr(self, "stack"):
            self.stack.close()

    def place(self, month: str) -> LandedMonth:
        return place_of(self.zone, month)

    def current(self, month: str) -> Begun | None:
        return max(self.loads[month].values(), key=lambda load: float(load.load_id), default=None)

    def is_lost(self, load: Begun) -> bool:
        """Tell whether the load's files went as stale before a discard made it current again."""
        is_there = load.load_id in self.place(load.month).files_by_load()
        return load.load_id in self.may_lack_files and not is_there

    @rule(seconds=st.sampled_from([-600, -5, 5, 600]))
    def set_clock(self, seconds: int) -> None:
        """The next run is on a machine whose clock says something else."""
        self.clock += seconds + 0.001

    @rule(month=MONTH, rows=st.lists(ROW, max_size=3))
    def land(self, month: str, rows: Rows) -> None:
        """Land by a real run; one whose clock is behind the current load's is refused."""
        current = self.current(month)
        ahead = float(current.load_id) - self.clock if current else -1.0
        if 0 <= ahead <= CLOCK_WAIT_SECONDS + 1:
            return
        run = Begun(month, "", [{"id": n, **row} for n, row in enumerate(rows)])
        with clock_ahead(self.clock - time.time()):
            if ahead > 0:
                with pytest.raises(LandingError, match="this machine's clock"):
                    land(self.place(month), self.zone, [run.table])
                return
            said = land(self.place(month), self.zone, [run.table])
        assert "superseded" not in said
        self.loads[month][said["load_id"]] = replace(run, load_id=said["load_id"])
        self.clock = float(said["load_id"])

    @rule(target=begun, month=MONTH, rows=st.lists(ROW, max_size=3), is_written=st.booleans())
    def begin(self, month: str, rows: Rows, is_written: bool) -> Any:
        """Begin a run; one whose clock is behind the current load's is refused, as `land` does."""
        self.clock += 0.001
        current = self.current(month)
        load_id = f"{self.clock:.6f}"
        if (current and float(load_id) <= float(current.load_id)) or any(
            run.load_id == load_id for run in self.runs
        ):
            return multiple()
        run = Begun(month, load_id, [{"id": n, **row} for n, row in enumerate(rows)])
        self.runs.add(run)
        if is_written:
            self.write(run)
        return run

    def write(self, run: Begun) -> None:
        write_load(self.place(run.month), run.load_id, [run.table], run.schema, committed=False)

    @rule(run=begun, is_killed=st.booleans())
    def commit(self, run: Begun, is_killed: bool) -> None:
        """End a run, which withdraws its load if a newer one is there, or is killed before that."""
        if run not in self.runs:
            return
        self.runs.remove(run)
        current = self.current(run.month)
        is_overtaken = bool(current) and float(current.load_id) > float(run.load_id)
        if run.load_id not in self.place(run.month).files_by_load() and not is_overtaken:
            self.write(run)
        if is_overtaken:
            self.may_lack_files.add(run.load_id)
        commit_load(self.place(run.month), run.load_id, run.schema)
        self.loads[run.month][run.load_id] = run
        if not is_killed:
            landing = Landing(self.zone, self.place(run.month), lambda _: None, lambda _: {})  # type: ignore[arg-type]
            assert bool(landing._withdraw_if_superseded(run.load_id, [])) == is_overtaken
            if is_overtaken:
                del self.loads[run.month][run.load_id]

    @rule(month=MONTH, deleted=st.none() | st.integers(0, 3))
    def delete_stale_files(self, month: str, deleted: int | None) -> None:
        """Delete all that is stale, or only the first few files of it, as a killed run does."""
        stale = self.zone.month("demo", "events", month).stale_files()
        self.zone.delete(stale if deleted is None else stale[:deleted])
        current = self.current(month)
        superseded = {*self.loads[month]} - {current.load_id if current else ""}
        self.may_lack_files |= superseded
        for load_id in superseded - {*self.place(month).committed_loads()}:
            del self.loads[month][load_id]
        if deleted is None and current:
            self.loads[month] = {current.load_id: current}
            going_on = {run.load_id for run in self.runs if run.month == month}
            kept = set() if self.is_lost(current) else {current.load_id}
            assert {*self.place(month).files_by_load()} - going_on == kept
            assert self.place(month).committed_loads() == [current.load_id]
            assert self.zone.month("demo", "events", month).stale_files() == []

    @rule(month=MONTH)
    def discard(self, month: str) -> None:
        """Delete the current load because of its clock, as a person does when no run goes on."""
        if (load := self.current(month)) and not any(run.month == month for run in self.runs):
            self.zone.delete(self.place(month).files_of_load(load.load_id))
            del self.loads[month][load.load_id]

    @rule(month=MONTH, replace_newer_load=st.booleans())
    def load(self, month: str, replace_newer_load: bool) -> None:
        current, held = self.current(month), self.loaded.get(month)
        is_older = current and held and float(held.load_id) > float(current.load_id)
        with self.warehouse.connect(self.zone) as connection:
            args = (connection, self.zone, self.place(month), REPLACE, replace_newer_load)
            if current is None or (is_older and not replace_newer_load):
                with pytest.raises(WarehouseError, match=r"never landed|holds load"):
                    load_month(*args)
                return
            if self.is_lost(current):
                with pytest.raises(LostFilesError, match=f"land {month} again"):
                    load_month(*args)
                return
            done = load_month(*args)
        assert (done.load_id, done.rows) == (current.load_id, len(current.rows))
        assert done.skipped == (held == current)
        self.loaded[month] = current

    @invariant()
    def every_step_is_counted(self) -> None:
        self.steps += 1

    @invariant()
    def every_month_reads_as_its_newest_load(self) -> None:
        for month in MONTHS:
            current = self.current(month)
            if current and self.is_lost(current):
                with pytest.raises(LostFilesError, match=f"land {month} again"):
                    self.zone.month("demo", "events", month).current_files()
                continue
            found = self.zone.month("demo", "events", month).current_files()
            assert (current and current.load_id) == (found and found.load_id)
            if current:
                rows = [_own(row) for row in rows_of(self.zone, found)]
                assert sorted(rows, key=str) == sorted(current.table.to_pylist(), key=str)

    @invariant()
    def the_warehouse_holds_what_was_loaded(self) -> None:
        if not Path(self.warehouse.url).exists() or not self.loaded:
            return
        with self.warehouse.connect() as connection:
            table = connection.execute("from demo.events order by month, id").to_arrow_table()
            ledger = connection.execute("select month, load_id, row_count from ledger.loads")
            held = {month: (load_id, rows) for month, load_id, rows in ledger.fetchall()}
        assert held == {m: (load.load_id, len(load.rows)) for m, load in self.loaded.items()}
        expected = [
            {"month": month, "note": None, **row}
            for month, load in sorted(self.loaded.items())
            for row in load.rows
        ]
        assert [{"note": None, **_own(row)} for row in table.to_pylist()] == expected


def _own(row: dict[str, Any]) -> dict[str, Any]:
    """Return the row without what dlt adds to it."""
    return {name: value for name, value in row.items() if name != "_dlt_load_id"}
