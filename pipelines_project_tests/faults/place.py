"""A source under test with its data and its forked runs, and what must hold after a fault."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any
from unittest.mock import ANY

from pipelines_project_tests.faults.figures import NUMBERS, Count, Numbers
from pipelines_project_tests.faults.forked_runs import Ended, ForkedRuns, forked_runs
from pipelines_project_tests.faults.live_data import Held, LiveData, Month
from pipelines_project_tests.faults.operations import Sabotage
from pipelines_project_tests.faults.sources import (
    MONTH,
    OTHER_MONTH,
    SOURCES,
    Source,
    environment_of,
)
from pipelines_project_tests.faults.stores import Stores
from pipelines_project_tests.faults.works import materialize


@dataclass(frozen=True)
class Scenario:
    """A run under test: what there was before it, and what it does if nothing goes wrong.

    Attributes:
        start: the name under which the data before it is kept.
        operations: what it does, each a line.
        versions: what each month may hold after it, by name; the last is what a whole run leaves.
    """

    start: str
    operations: list[str]
    versions: dict[Month, dict[str, Held]]


@dataclass(frozen=True)
class Place:
    """Where runs of one source are put to the test."""

    source: Source
    live: LiveData
    runs: ForkedRuns

    @property
    def numbers(self) -> Numbers:
        """How much is done with this source."""
        is_first = self.source.name == next(iter(SOURCES))
        return NUMBERS if is_first else NUMBERS.for_another_source()

    def run(self, sabotage: Sabotage | None = None, months: str = MONTH) -> Ended:
        """Run the assets in a process of its own."""
        data = str(self.live.data)
        return self.runs.run(materialize, data, months, self.source.keys, sabotage=sabotage)

    def assert_whole(self, scenario: Scenario) -> None:
        """Check that every month is a whole one of the versions, in landing and warehouse.

        Raises:
            AssertionError: rows are lost or doubled, or the warehouse is ahead of the landing zone.
        """
        for month, versions in scenario.versions.items():
            landed, loaded = self.live.compare(month, versions)
            names = [*versions]
            # Of a merged table the newest version stays, whatever is landed.
            assert self.source.is_merged or names.index(loaded) <= names.index(landed)

    def assert_one_rerun_mends(self, scenario: Scenario) -> None:
        """Run the assets once more, and check that the month is new, whole and tidy.

        Raises:
            AssertionError: the run fails, or leaves more or less than one whole load a month.
        """
        again = self.run()
        assert again.code == 0, again.log
        assert again.answer.success, again.answer.error
        assert {*again.answer.failed_checks} <= {"current_month_is_fresh"}
        self.assert_newest(scenario)
        self.live.assert_tidy(scenario.versions)

    def assert_newest(self, scenario: Scenario) -> None:
        """Check that every month is what a whole run leaves, in landing and warehouse.

        Raises:
            AssertionError: it is not.
        """
        for month, versions in scenario.versions.items():
            newest = [*versions][-1]
            self.live.compare(month, {newest: versions[newest]})

    @contextmanager
    def beside(self, *works: tuple[Callable[..., int], *tuple[Any, ...]]) -> Iterator[list[int]]:
        """Let processes do the works meanwhile, and check that they end well.

        Args:
            works: a function of the definitions, its arguments and the file that ends it, which
                returns how often it did what it does.

        Yields:
            A list that holds, at the end, what the works have returned.
        """
        end, done = self.live.stores.folder / "end", list[int]()
        started = [self.runs.start(work, *args, end) for work, *args in works]
        try:
            yield done
        finally:
            end.touch()
            ended = [self.runs.end(each) for each in started]
            end.unlink()
        for each in ended:
            assert each.code == 0, each.log
            done.append(each.answer)

    def scenarios(self) -> dict[str, Scenario]:
        """Return the runs under test, having done each of them once without a fault."""
        return {"rerun": self._rerun(), "first": self._first()}

    def _rerun(self) -> Scenario:
        self.source.serve(1)
        ended = self.run(months=f"{OTHER_MONTH}...{MONTH}")
        assert ended.code == 0, ended.log
        assert ended.answer.success, ended.answer.error
        months = [*self.source.months(OTHER_MONTH), *self.source.months()]
        before = {month: self.live.held(month) for month in months}
        self.live.save("before the rerun")
        return self._clean_run("before the rerun", before)

    def _first(self) -> Scenario:
        self.live.restore()
        self.live.save("before the first")
        nothing = dict.fromkeys(self.source.months(), Held(None, None))
        return self._clean_run("before the first", nothing)

    def _clean_run(self, start: str, before: dict[Month, Held]) -> Scenario:
        self.source.serve(2)
        ended = self.run()
        assert ended.code == 0, ended.log
        assert ended.answer.success, ended.answer.error
        after = {month: self.live.held(month) for month in before}
        assert all(after[month] != before[month] for month in self.source.months())
        self.live.assert_tidy(before)
        merged = self.source.is_merged
        versions = {
            month: {"old": before[month], "new": after[month]}
            if month.month == MONTH
            # A merged table is one whole, which `MONTH` stands for.
            else {"only": before[month]._replace(loaded=ANY) if merged else before[month]}
            for month in before
        }
        return Scenario(start, ended.operations, versions)

    def counting(self, count: Count) -> "Place":
        """Return the same place, whose figures are added up by `count`."""
        return replace(self, live=replace(self.live, count=count))


@contextmanager
def place_of(name: str, stores: Stores) -> Iterator[Place]:
    """Give the place of a source whose data is in the stores."""
    with SOURCES[name](stores.folder / "raw") as source:
        live = LiveData(stores, source.is_merged)
        environment = environment_of(stores, source)
        order = (materialize, str(live.data), MONTH, source.keys)
        with forked_runs(stores.folder, environment, *order) as runs:
            live.restore()
            yield Place(source, live, runs)
