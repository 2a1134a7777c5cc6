"""Whatever error ends a month: the run says which, why, what was left as it was, and what to do."""

import importlib
import inspect
import pkgutil
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import dagster as dg
import pytest
from dagster.components.testing.utils import component_defs

import pipelines_project
from pipelines_project.components.monthly_source import MonthlySource
from pipelines_project.components.table_settings import TableSettings
from pipelines_project.landing.changes import WholeMonthNeededError
from pipelines_project.landing.zone import LandingZone
from pipelines_project.marts.mart import MissingTablesError
from pipelines_project.sources.fetch import Extract, NotModifiedError
from pipelines_project.sources.http.api_calls import ApiCalls
from pipelines_project.sources.typed_rows.columns import MisfitError
from pipelines_project.sources.typed_rows.kept_rows import MisfitRowError
from pipelines_project.sources.typed_rows.survey import UnfitError
from pipelines_project.table import Table
from pipelines_project.warehouse.database import Warehouse
from pipelines_project_tests.code_location import Run, range_tags
from pipelines_project_tests.kept import empty_instance
from pipelines_project_tests.landings import tree

# Signals between the parts of a landing, which end no month and become a `SourceError` where they
# must. The last one tells what a mart lacks.
_NO_REFUSALS = {
    NotModifiedError,
    WholeMonthNeededError,
    MisfitError,
    MisfitRowError,
    UnfitError,
    MissingTablesError,
}
_SAID = "the source says what happened"
_COMMAND = re.compile(r"^  (dagster asset materialize .*)$", re.MULTILINE)


class Refusing(MonthlySource):
    """A source whose second month raises what a test sets."""

    error: ClassVar[type[Exception]] = RuntimeError
    where: ClassVar[str] = "extract"

    def monthly_tables(self) -> list[Table]:
        settings = TableSettings(name="events", description="Events of tests.")
        return [self.table(settings, self._extractor)]

    def _extractor(self, _calls: ApiCalls, _landing: LandingZone) -> Extract:
        def extract(month: str, _fetch: Any) -> Any:
            raise self.error(f"{_SAID}, in {month}")

        if self.where == "extractor":
            raise self.error(_SAID)
        return extract


@pytest.fixture
def location(tmp_path: Path) -> Iterator[Any]:
    resources = {
        "landing": LandingZone(url=str(tmp_path / "landing")),
        "warehouse": Warehouse(url=str(tmp_path / "warehouse.duckdb")),
    }
    source = Refusing(source="refusing", start_month="2024-01")
    defs = component_defs(component=source, resources=resources)
    with empty_instance() as instance:

        def land() -> Run:
            result = defs.resolve_implicit_global_asset_job_def().execute_in_process(
                instance=instance,
                asset_selection=[dg.AssetKey(["landing", "refusing", "events"])],
                tags=range_tags("2024-01", "2024-02"),
                raise_on_error=False,
            )
            return Run(result, instance)

        yield land


def _errors() -> list[type[Exception]]:
    """Return every error that the project defines."""
    prefix = f"{pipelines_project.__name__}."
    names = [
        found.name
        for found in pkgutil.walk_packages(pipelines_project.__path__, prefix)
        # A worker's app needs the instance of its deployment to be imported.
        if not found.name.endswith(("__main__", "celery_app")) and ".sandbox" not in found.name
    ]
    modules = [importlib.import_module(name) for name in names]
    found = {
        each
        for module in modules
        for _, each in inspect.getmembers(module, inspect.isclass)
        if issubclass(each, Exception) and each.__module__.startswith(prefix)
    }
    return sorted(found - _NO_REFUSALS, key=lambda each: each.__name__)


@pytest.mark.stack
@pytest.mark.parametrize("error", [*_errors(), RuntimeError, OSError], ids=lambda e: e.__name__)
def test_every_error_of_a_month_is_told_with_what_was_left_and_what_to_do(
    location: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    monkeypatch.setattr(Refusing, "error", error)
    # A fault that may pass is tried again after a wait.
    monkeypatch.setattr("pipelines_project.orchestration.land_op.MONTH_ATTEMPTS", 1)

    run = location()

    assert run.failed_steps == ["refusing_events_land"]
    first, *_ = run.error.splitlines()
    assert first == "2 of 2 months of landing/refusing/events failed:"
    for month in ("2024-01", "2024-02"):
        assert re.search(rf"^- {month}: .*{_SAID}, in {month}", run.error, re.MULTILINE)
    assert "What was landed of 2024-01...2024-02 before is unchanged." in run.error
    (command,) = _COMMAND.findall(run.error)
    arguments = shlex.split(command)
    assert arguments[arguments.index("--partition-range") + 1] == "2024-01...2024-02"
    assert dg.AssetSelection.from_string(arguments[arguments.index("--select") + 1])
    assert "Traceback" not in run.error
    assert 'File "' not in run.error
    assert not [path for path in tree(tmp_path) if "month=" in path]


def test_a_source_that_cannot_even_begin_is_told_by_its_words_alone(
    location: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (source_error,) = [each for each in _errors() if each.__name__ == "SourceError"]
    monkeypatch.setattr(Refusing, "error", source_error)
    monkeypatch.setattr(Refusing, "where", "extractor")

    run = location()

    said, left, command = run.error.splitlines()
    assert said == f"landing/refusing/events: {_SAID}"
    assert left == (
        "Nothing was asked, and what was landed of 2024-01...2024-02 before is unchanged. "
        "Once mended:"
    )
    assert command.endswith(" --partition-range 2024-01...2024-02")
