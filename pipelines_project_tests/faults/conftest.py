"""One place of its own for each worker, the marker of the suite, and its figures at the end."""

from collections.abc import Iterator
from typing import Any

import pytest

from pipelines_project_tests.faults.figures import Count, lines
from pipelines_project_tests.faults.place import Place, Scenario, place_of
from pipelines_project_tests.faults.sources import SOURCES

_FIGURE = "figure"


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print the figures of all workers, if any test counted something."""
    reports = [report for each in terminalreporter.stats.values() for report in each]
    # A test has three reports, each with all of its properties.
    called = [each for each in reports if getattr(each, "when", "") == "call"]
    figures = [value for each in called for name, value in each.user_properties if name == _FIGURE]
    if figures:
        terminalreporter.section("figures")
        for line in lines(figures):
            terminalreporter.write_line(line)


@pytest.fixture
def count(request: pytest.FixtureRequest) -> Count:
    """Adds to the figures that are printed at the end."""

    def count(name: str, number: int) -> None:
        request.node.user_properties.append((_FIGURE, (name, number)))

    return count


@pytest.fixture(scope="session", params=SOURCES)
def prepared(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Place, dict[str, Scenario]]]:
    """A source under test with its runs, each done once without a fault."""
    with place_of(request.param, tmp_path_factory.mktemp(request.param)) as place:
        yield place, place.scenarios()


@pytest.fixture
def place(prepared: tuple[Place, dict[str, Scenario]], count: Count) -> Place:
    """A source under test, which serves what is new; the data is what the last test left."""
    prepared[0].source.serve(2)
    return prepared[0].counting(count)


@pytest.fixture
def scenarios(prepared: tuple[Place, dict[str, Scenario]]) -> dict[str, Scenario]:
    """The runs under test of that source, by name."""
    return prepared[1]
