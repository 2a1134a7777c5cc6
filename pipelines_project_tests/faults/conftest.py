"""One place of its own for each worker, the marker of the suite, and its figures at the end."""

from collections.abc import Iterator
from typing import Any

import pytest

from pipelines_project_tests.faults.figures import IS_LEAST, Count, lines
from pipelines_project_tests.faults.place import Place, Scenario, place_of
from pipelines_project_tests.faults.sources import MOST_TESTED, SOURCES
from pipelines_project_tests.faults.stores import IS_ALL_ON_DISK, chosen_stores

_FIGURE = "figure"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is the same wherever the data is, and what breaks a disk, if it is on none."""
    if IS_ALL_ON_DISK:
        return
    left_out = [
        item
        for item in items
        if item.get_closest_marker("faults")
        and ("place" not in item.fixturenames or item.get_closest_marker("disk"))  # type: ignore[attr-defined]
    ]
    items[:] = [item for item in items if item not in left_out]
    config.hook.pytest_deselected(items=left_out)


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


@pytest.fixture(scope="session", params=MOST_TESTED if IS_LEAST else SOURCES)
def prepared(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Place, dict[str, Scenario]]]:
    """A source under test with its runs, each done once without a fault."""
    name = request.param

    def server(kind: str) -> str:
        fixture = {"s3": "gated_store", "postgres": "postgres"}[kind]
        started = request.getfixturevalue(fixture)
        return started.store if kind == "s3" else started

    with (
        chosen_stores(name, tmp_path_factory.mktemp(name), server) as stores,
        place_of(name, stores) as place,
    ):
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
