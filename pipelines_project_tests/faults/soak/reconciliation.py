"""Whether what the soak's runs leave is what was served: nothing is lost, and nothing twice."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from pipelines_project_tests.faults.live_data import LiveData, Month
from pipelines_project_tests.faults.soak.reads import (
    ALL_MONTHS,
    landed_versions,
    live_data,
    loaded_versions,
    parts_of,
)
from pipelines_project_tests.faults.soak.served import (
    Content,
    Versions,
    content_by_part,
    difference,
)
from pipelines_project_tests.faults.stores import Stores


@dataclass
class Reconciliation:
    """Compares what there is with what was served.

    Attributes:
        folder: where the data is.
        versions: what was served, and when.
        differences: what was found.
        figures: how much was compared, lost and doubled.
        newest: the newest load of each month that a run has said it landed.
    """

    folder: Path
    versions: Versions
    differences: list[str] = field(default_factory=list)
    figures: Counter[str] = field(default_factory=Counter)
    newest: dict[Month, str] = field(default_factory=dict)

    def landed(self, month: Month, load_id: str) -> None:
        """Note a load that a run has landed; another may be newer."""
        self.newest[month] = max(self.newest.get(month, "0"), load_id, key=float)

    def differs(self, what: str) -> None:
        """Note a difference, and say so at once."""
        self.differences.append(what)
        print(f"DIFFERENCE: {what}", flush=True)

    def look(self) -> None:
        """Check every month while runs go on: whole, and not older than its load."""
        for month in ALL_MONTHS:
            try:
                self.check_landed(month)
                loaded_versions(self.folder, month)
            except Exception as error:
                self.differs(f"{month}: {error!r}")

    def check_landed(self, month: Month) -> None:
        """Check that a month's current load is whole, the newest, and not older than its id says.

        Raises:
            AssertionError: it is not.
        """
        live, newest = live_data(self.folder, month), self.newest.get(month, "0")
        before = live.landing.month(*month).current_load() or "0"
        assert float(before) >= float(newest), f"load {newest} was landed, {before} is current"
        for part, version in landed_versions(self.folder, month).items():
            # A run asks for the companies once, before it lands the first of its months.
            served = self.versions.at(part, float(before)) if part.source != "freshdesk" else 1
            assert version >= served, (
                f"{part}: version {version} is landed as load {before} or a later one, when "
                f"version {served} was served already"
            )

    def close(self) -> None:
        """Compare every month, landed and loaded once more after the last run, with what is served.

        There must be one live load of each, and no other file.
        """
        for month in ALL_MONTHS:
            held = live_data(self.folder, month).held(month)
            self.figures["months reconciled"] += 1
            self._compare(month, "landing", content_by_part(held.landed))
            self._compare(month, "warehouse", content_by_part(held.loaded))
            if month.source != "freshdesk" and held.landed != held.loaded:
                self.differs(f"{month}: the warehouse's rows are not the landed ones")
        try:
            LiveData(Stores(self.folder)).assert_tidy(ALL_MONTHS)
        except (AssertionError, ValueError) as error:
            found = [str(p) for p in (self.folder / "data" / "tmp").iterdir()]
            self.differs(f"there are other files than those of one load a month: {error} {found}")

    def _compare(self, month: Month, where: str, found: dict[str, Content]) -> None:
        for part in parts_of(month):
            rows = found.get(part.key, Counter())
            lost, doubled = difference(part, self.versions.current(part), rows)
            self.figures["rows compared"] += rows.total()
            self.figures["rows lost"] += lost
            self.figures["rows doubled"] += doubled
            if lost or doubled:
                self.differs(f"{where} {part}: {lost} rows lost, {doubled} too many")
