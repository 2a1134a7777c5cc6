"""What is loaded and modelled by itself after a month was landed again."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from starlette.responses import Response

from pipelines_project.marts.build import Mart
from pipelines_project.marts.model import parse_model
from pipelines_project.orchestration import warehouse_asset
from pipelines_project.orchestration.mart_asset import mart_asset
from pipelines_project.warehouse.database import Warehouse
from pipelines_project.warehouse.load_month import load_month
from pipelines_project_tests.code_location import (
    LANDING,
    MARTS,
    WAREHOUSE,
    CodeLocation,
    code_location,
)
from pipelines_project_tests.landings import ids_ago, write_load

Requests = dict[str, set[str | None]]
"""The months that are asked for, by asset; None for one without months."""


def _marts(*months: str) -> Requests:
    """Return what is asked for when months were loaded: one mart whole, and one by month."""
    openings, player_months = MARTS
    return {openings: {None}, player_months: {*months}}


@dataclass
class Daemon:
    """Evaluates the conditions as the daemon does, each time from where it was before."""

    location: CodeLocation
    cursor: Any = None

    def tick(self) -> Requests:
        """Return what one evaluation asks for."""
        result = dg.evaluate_automation_conditions(
            defs=self.location.defs,
            instance=self.location.instance,
            cursor=self.cursor,
        )
        self.cursor = result.cursor
        keys = (LANDING, WAREHOUSE, *MARTS)
        asked = {k: result.get_requested_partitions(dg.AssetKey.from_user_string(k)) for k in keys}
        assert result.total_requested == sum(map(len, asked.values()))
        return {key: {*months} for key, months in asked.items() if months}

    def follow(self, asked: Requests) -> None:
        """Materialize what was asked for."""
        for key, months in asked.items():
            for month in sorted(months, key=str):
                assert self.location.materialize(month or "", key).result.success


@pytest.fixture(scope="module")
def location(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CodeLocation]:
    """A code location where January to March 2024 are landed, loaded and modelled."""
    with code_location(tmp_path_factory.mktemp("automation")) as location:
        run = location.materialize("2024-01...2024-03", LANDING, WAREHOUSE, *MARTS)
        assert run.result.success
        yield location


@pytest.fixture
def daemon(location: CodeLocation) -> Daemon:
    """A daemon that is started now, and so looks at nothing that was before."""
    location.faults.clear()
    daemon = Daemon(location)
    daemon.tick()
    assert daemon.tick() == {}
    return daemon


def test_an_old_month_that_is_landed_again_flows_on_to_the_warehouse_and_once_to_the_marts(
    daemon: Daemon,
) -> None:
    daemon.location.materialize("2024-02", LANDING)

    asked = daemon.tick()
    assert asked == {WAREHOUSE: {"2024-02"}}
    assert daemon.tick() == {}

    daemon.follow(asked)
    asked = daemon.tick()
    assert asked == _marts("2024-02")

    daemon.follow(asked)
    assert [daemon.tick() for _ in range(3)] == [{}] * 3


def test_a_month_that_is_landed_for_the_first_time_flows_on(daemon: Daemon) -> None:
    daemon.location.materialize("2022-05", LANDING)

    asked = daemon.tick()
    daemon.follow(asked)

    assert asked == {WAREHOUSE: {"2022-05"}}
    assert daemon.tick() == _marts("2022-05")


def test_several_months_that_were_loaded_ask_for_each_mart_once(daemon: Daemon) -> None:
    daemon.location.materialize("2024-01...2024-03", LANDING)
    asked = daemon.tick()
    assert asked == {WAREHOUSE: {"2024-01", "2024-02", "2024-03"}}

    daemon.location.materialize("2024-01...2024-03", WAREHOUSE)

    assert daemon.tick() == _marts("2024-01", "2024-02", "2024-03")
    assert daemon.tick() == {}


def test_the_good_months_of_a_run_that_failed_flow_on(daemon: Daemon) -> None:
    daemon.location.faults.answer_always("erik/games/2024/02", Response(status_code=404))
    run = daemon.location.materialize("2024-01...2024-03", LANDING, WAREHOUSE)
    assert not run.result.success

    asked = daemon.tick()
    daemon.follow(asked)

    assert asked == {WAREHOUSE: {"2024-01", "2024-03"}}
    assert daemon.tick() == _marts("2024-01", "2024-03")


def test_the_good_months_of_a_run_that_failed_to_load_one_flow_on_to_the_marts(
    daemon: Daemon,
) -> None:
    location = daemon.location
    twice = [{"player": "erik", "url": "twice"}] * 2
    write_load(location.landing.month("chess", "games", "2024-04"), ids_ago(10)[0], [twice])
    run = location.materialize("2024-03...2024-04", WAREHOUSE, *MARTS)
    assert [*run.materialized(WAREHOUSE)] == ["2024-03"]

    assert daemon.tick() == _marts("2024-03")


def test_what_a_run_has_loaded_itself_is_not_asked_for_again(daemon: Daemon) -> None:
    daemon.location.materialize("2024-02...2024-03", LANDING, WAREHOUSE, *MARTS)

    assert daemon.tick() == {}


@pytest.mark.parametrize(
    "months", ["2024-02...2024-03", pytest.param("2024-02", marks=pytest.mark.stack)]
)
def test_what_a_run_is_about_to_load_is_not_asked_for_meanwhile(
    daemon: Daemon, monkeypatch: pytest.MonkeyPatch, months: str
) -> None:
    ticks: list[Requests] = []

    def load(*args: Any) -> Any:
        ticks.append(daemon.tick())
        return load_month(*args)

    monkeypatch.setattr(warehouse_asset, "load_month", load)

    daemon.location.materialize(months, LANDING, WAREHOUSE, *MARTS)

    assert [*ticks, daemon.tick()] == [{}] * (len(ticks) + 1)
    assert ticks


_UPSTREAM, _DOWNSTREAM = (dg.AssetKey(["marts", "demo", name]) for name in ("first", "second"))


@pytest.fixture
def two_marts(tmp_path: Path, warehouse: Warehouse) -> Callable[[str], dg.Definitions]:
    """The definitions of two marts, of which the second reads the first, given the first's SQL."""

    def mart(name: str, sql: str) -> Mart:
        path = tmp_path / f"{name}.sql"
        path.write_text(sql)
        return Mart("demo", parse_model(path))

    def defs(first: str) -> dg.Definitions:
        second = mart("second", "select sum(n) as total from demo_marts.first")
        assets = [mart_asset(mart("first", first), []), mart_asset(second, [_UPSTREAM])]
        return dg.Definitions(assets=assets, resources={"warehouse": warehouse})

    return defs


def test_a_mart_runs_after_the_one_it_reads_has_changed_and_not_after_it_was_only_built(
    two_marts: Callable[[str], dg.Definitions], instance: dg.DagsterInstance
) -> None:
    cursor = None

    def tick(defs: dg.Definitions) -> set[dg.AssetKey]:
        nonlocal cursor
        result = dg.evaluate_automation_conditions(defs=defs, instance=instance, cursor=cursor)
        cursor = result.cursor
        keys = (_UPSTREAM, _DOWNSTREAM)
        return {key for key in keys if result.get_num_requested(key)}

    def build(defs: dg.Definitions, key: dg.AssetKey) -> dict[str, Any]:
        job = defs.resolve_implicit_global_asset_job_def()
        result = job.execute_in_process(instance=instance, asset_selection=[key])
        (event,) = result.asset_materializations_for_node("__".join(key.path))
        return {name: value.value for name, value in event.metadata.items()}

    defs = two_marts("select unnest([1, 2]) as n")
    tick(defs)
    assert not build(defs, _UPSTREAM)["unchanged"]
    assert tick(defs) == {_DOWNSTREAM}
    build(defs, _DOWNSTREAM)
    assert tick(defs) == set()

    assert build(defs, _UPSTREAM)["unchanged"]
    assert [tick(defs), tick(defs)] == [set(), set()]

    changed = two_marts("select unnest([1, 3]) as n")
    assert not build(changed, _UPSTREAM)["unchanged"]
    assert tick(changed) == {_DOWNSTREAM}
