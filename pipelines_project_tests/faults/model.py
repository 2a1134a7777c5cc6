"""A model of what landing zone and warehouse must hold, beside the real ones, through any steps.

A month is landed by a real run of dlt. Runs that overlap, or are killed at some step, are made
here: their files are written in the order of landing. All else is the project's own code. A load
exists when it has a record.
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

from pipelines_project.landing.clock import CLOCK_WAIT_SECONDS
from pipelines_project.landing.errors import DamagedLoadError, LandingError
from pipelines_project.landing.landed_month import LandedMonth
from pipelines_project.landing.publish import withdraw_if_superseded
from pipelines_project.landing.record import LoadRecord
from pipelines_project.landing.zone import LandingZone
from pipelines_project.warehouse.database import Warehouse, WarehouseError
from pipelines_project.warehouse.load_month import load_month
from pipelines_project.warehouse.loaders.replace_month import ReplaceMonth
from pipelines_project_tests.faults.works import clock_ahead
from pipelines_project_tests.landings import land, place_of, rows_of, write_load

MONTHS = ("2023-01", "2023-02")
MONTH = st.sampled_from(MONTHS)
ROW = st.fixed_dictionaries(
    {"number": st.integers(-9, 9) | st.floats(-9, 9, width=16)},
    optional={"note": st.sampled_from("ab")},
)
REPLACE = ReplaceMonth(("id",))

Rows = list[dict[str, Any]]


@dataclass(frozen=True, eq=False)
class Begun:
    """A run that lands: it may go on, or be killed and never heard of again."""

    month: str
    load_id: str
    rows: Rows

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
        self.written: dict[Begun, LoadRecord] = {}
        self.may_lack_files: set[Begun] = set()

    def teardown(self) -> None:
        if hasattr(self, "stack"):
            self.stack.close()

    def place(self, month: str) -> LandedMonth:
        return place_of(self.zone, month)

    def current(self, month: str) -> Begun | None:
        return max(self.loads[month].values(), key=lambda load: float(load.load_id), default=None)

    def is_lost(self, load: Begun) -> bool:
        """Tell whether the load's files went as stale before its record was written."""
        return load in self.may_lack_files and not self.data_files(load)

    def data_files(self, load: Begun) -> list[str]:
        paths = self.place(load.month).files_of_load(load.load_id)
        return [path for path in paths if path.endswith(".parquet")]

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
                    land(self.place(month), [run.table])
                return
            landed = land(self.place(month), [run.table])
        assert landed.superseded_by is None
        assert bool(landed.replaced_damaged) == bool(current and self.is_lost(current))
        self.loads[month][landed.load_id] = replace(run, load_id=landed.load_id)
        self.clock = float(landed.load_id)

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
        place = self.place(run.month)
        self.written[run] = write_load(place, run.load_id, [run.table], committed=False)

    @rule(run=begun, is_killed=st.booleans())
    def commit(self, run: Begun, is_killed: bool) -> None:
        """End a run, which withdraws its load if a newer one is there, or is killed before that."""
        if run not in self.runs:
            return
        self.runs.remove(run)
        place, current = self.place(run.month), self.current(run.month)
        is_overtaken = bool(current) and float(current.load_id) > float(run.load_id)
        if run not in self.written:
            self.write(run)
            if is_overtaken:
                # As the newer run does, to which they are stale.
                place.delete(self.data_files(run))
        if not self.data_files(run):
            self.may_lack_files.add(run)
        place.commit(self.written[run])
        if is_killed:
            self.loads[run.month][run.load_id] = run
        elif not is_overtaken and self.is_lost(run):
            with pytest.raises(DamagedLoadError, match="another run deleted files"):
                withdraw_if_superseded(place, self.written[run])
        else:
            newest = withdraw_if_superseded(place, self.written[run])
            assert newest == (current.load_id if current and is_overtaken else None)
            if not is_overtaken:
                self.loads[run.month][run.load_id] = run

    @rule(month=MONTH, keep_loads=st.integers(0, 2), deleted=st.none() | st.integers(0, 3))
    def delete_stale_files(self, month: str, keep_loads: int, deleted: int | None) -> None:
        """Delete all that is stale, or only the first few files of it, as a killed run does."""
        place, current = self.place(month), self.current(month)
        if current and self.is_lost(current):
            with pytest.raises(DamagedLoadError, match=f"Land {month} again"):
                place.stale_files(keep_loads)
            return
        loads, kept = self.loads[month], self.kept(month, keep_loads)
        stale = place.stale_files(keep_loads)[:deleted]
        place.delete(stale)
        for load_id in [i for i in loads if place.record_path(i) in stale]:
            del loads[load_id]
        if deleted is None and current:
            going_on = {run.load_id for run in self.runs if run.month == month}
            assert {*loads} == {current.load_id, *kept}
            assert {*place.listing().files} - going_on == {*loads}
            assert place.stale_files(keep_loads) == []

    def kept(self, month: str, keep_loads: int) -> set[str]:
        """Return the loads that a month has after its stale files are deleted."""
        superseded = sorted(self.loads[month], key=float, reverse=True)[1:]
        whole = [i for i in superseded if not self.is_lost(self.loads[month][i])]
        return {*whole[:keep_loads]}

    @rule(month=MONTH)
    def discard(self, month: str) -> None:
        """Delete the current load, as a person does because of its clock, whatever goes on."""
        if load := self.current(month):
            place = self.place(month)
            place.delete(place.files_of_load(load.load_id))
            del self.loads[month][load.load_id]

    @rule(month=MONTH, replace_newer_load=st.booleans())
    def load(self, month: str, replace_newer_load: bool) -> None:
        current, held = self.current(month), self.loaded.get(month)
        is_older = current and held and float(held.load_id) > float(current.load_id)
        with self.warehouse.connect() as connection:
            args = (connection, self.place(month), REPLACE, replace_newer_load)
            if current and self.is_lost(current):
                with pytest.raises(DamagedLoadError, match=f"Land {month} again"):
                    load_month(*args)
                return
            if current is None or (is_older and not replace_newer_load):
                with pytest.raises(WarehouseError, match=r"never landed|holds load"):
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
                with pytest.raises(DamagedLoadError, match=f"Land {month} again"):
                    self.place(month).current_files()
                continue
            found = self.place(month).current_files()
            assert (current and current.load_id) == (found and found.load_id)
            if current:
                rows = [_own(row) for row in rows_of(self.zone, found)]
                assert sorted(rows, key=str) == sorted(current.table.to_pylist(), key=str)

    @invariant()
    def every_load_that_has_a_record_is_whole(self) -> None:
        for month, loads in self.loads.items():
            place, listing = self.place(month), self.place(month).listing()
            assert {*listing.committed} == {*loads}
            for load in loads.values():
                if not self.is_lost(load):
                    place.check_content(place.load(listing, load.load_id).record)

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
