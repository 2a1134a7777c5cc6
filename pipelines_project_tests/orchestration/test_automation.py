"""What is loaded and modelled by itself after a month was landed again."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from starlette.responses import Response

from pipelines_project.marts.mart import Mart
from pipelines_project.marts.model import parse_model
from pipelines_project.orchestration import warehouse_asset
from pipelines_project.orchestration.mart_asset import mart_asset
from pipelines_project.sandbox.chess_games import GeneratedArchives
from pipelines_project.warehouse.database import Warehouse
from pipelines_project.warehouse.load_month import load_month
from pipelines_project_tests.code_location import (
    GAMES_PER_MONTH,
    LANDING,
    MARTS,
    WAREHOUSE,
    CodeLocation,
    code_location,
)
from pipelines_project_tests.landings import ids_ago, write_load

pytestmark = pytest.mark.stack

Requests = dict[str, set[str | None]]
"""The months that are asked for, by asset; None for one without months."""


def _marts(*months: str) -> Requests:
    """Return what is asked for when months were loaded: one mart whole, and one by month."""
    openings, player_months = MARTS
    return {openings: {None}, player_months: {*months}}


@dataclass(frozen=True)
class PlayedArchives:
    """Made-up archives, in which games can be played: those of the month are others then."""

    played: Counter[str] = field(default_factory=Counter[str])

    def months(self, player: str) -> list[str] | None:
        return GeneratedArchives(GAMES_PER_MONTH).months(player)

    def games(self, player: str, month: str) -> bytes:
        return GeneratedArchives(GAMES_PER_MONTH + self.played[month]).games(player, month)


@dataclass
class Daemon:
    """Evaluates the conditions as the daemon does, each time from where it was before."""

    location: CodeLocation
    archives: PlayedArchives
    cursor: Any = None

    def land(self, months: str, *played: str) -> None:
        """Land months, after games were played in some of them."""
        self.archives.played.update(played)
        assert self.location.materialize(months, LANDING).result.success

    def tick(self, after: timedelta = timedelta(0)) -> Requests:
        """Return what one evaluation asks for."""
        result = dg.evaluate_automation_conditions(
            defs=self.location.defs,
            instance=self.location.instance,
            cursor=self.cursor,
            asset_selection=dg.AssetSelection.groups("chess"),
            evaluation_time=datetime.now(UTC) + after,
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
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """A code location where January to March 2024 are landed, loaded and modelled."""
    archives = PlayedArchives()
    with code_location(tmp_path_factory.mktemp("automation"), archives) as location:
        run = location.materialize("2024-01...2024-03", LANDING, WAREHOUSE, *MARTS)
        assert run.result.success
        yield Daemon(location, archives)


@pytest.fixture
def daemon(running: Daemon) -> Daemon:
    """A daemon that is started now, and has loaded what is landed."""
    running.location.faults.clear()
    daemon = Daemon(running.location, running.archives)
    while asked := daemon.tick():
        daemon.follow(asked)
    return daemon


def test_an_old_month_that_is_landed_again_flows_on_to_the_warehouse_and_once_to_the_marts(
    daemon: Daemon,
) -> None:
    daemon.land("2024-02", "2024-02")

    asked = daemon.tick()
    assert asked == {WAREHOUSE: {"2024-02"}}
    assert daemon.tick() == {}

    daemon.follow(asked)
    asked = daemon.tick()
    assert asked == _marts("2024-02")

    daemon.follow(asked)
    assert [daemon.tick() for _ in range(3)] == [{}] * 3


def test_a_month_that_is_landed_for_the_first_time_flows_on(daemon: Daemon) -> None:
    daemon.land("2023-05")

    asked = daemon.tick()
    daemon.follow(asked)

    assert asked == {WAREHOUSE: {"2023-05"}}
    assert daemon.tick() == _marts("2023-05")


@pytest.mark.parametrize("months", ["2024-02", "2024-01...2024-03"])
def test_months_that_are_landed_again_with_the_same_rows_ask_for_nothing(
    daemon: Daemon, months: str
) -> None:
    daemon.land(months)

    assert [daemon.tick() for _ in range(2)] == [{}] * 2


@pytest.mark.parametrize("months", ["2024-02", "2024-01...2024-03"])
def test_months_that_are_loaded_again_with_the_same_rows_ask_for_no_mart(
    daemon: Daemon, months: str
) -> None:
    daemon.land(months)
    run = daemon.location.materialize(months, WAREHOUSE)

    assert all(month["unchanged"] for month in run.materialized(WAREHOUSE).values())
    assert [daemon.tick() for _ in range(2)] == [{}] * 2


def test_of_several_months_those_with_other_rows_than_before_are_asked_for(
    daemon: Daemon,
) -> None:
    daemon.land("2024-01...2024-03", "2024-02")

    asked = daemon.tick()
    daemon.follow(asked)

    assert asked == {WAREHOUSE: {"2024-02"}}
    assert daemon.tick() == _marts("2024-02")


def test_what_was_landed_before_the_first_tick_is_caught_up_with(daemon: Daemon) -> None:
    daemon.land("2024-01...2024-02", "2024-02")
    daemon.land("2023-06")
    late = Daemon(daemon.location, daemon.archives)

    asked = late.tick()
    late.follow(asked)

    assert asked == {WAREHOUSE: {"2024-02", "2023-06"}}
    assert late.tick() == _marts("2024-02", "2023-06")


def test_the_sensor_asks_for_what_was_landed_before_its_first_tick(daemon: Daemon) -> None:
    daemon.land("2024-02", "2024-02")
    repository = daemon.location.defs.get_repository_def()
    sensor = repository.get_sensor_def("chess_automation")
    context = dg.build_sensor_context(daemon.location.instance, repository_def=repository)

    asked = sensor.evaluate_tick(context).run_requests or []

    keys = [dg.AssetKey.from_user_string(WAREHOUSE)]
    assert [(each.partition_key, each.asset_selection) for each in asked] == [("2024-02", keys)]


def test_a_month_that_is_landed_again_while_its_load_goes_on_is_asked_for_again(
    daemon: Daemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    def land_then(*args: Any) -> Any:
        loaded = load_month(*args)
        daemon.land("2024-02", "2024-02")
        return loaded

    daemon.land("2024-02", "2024-02")
    asked = daemon.tick()
    with monkeypatch.context() as patch:
        patch.setattr(warehouse_asset, "load_month", land_then)
        daemon.follow(asked)

    again = daemon.tick()
    daemon.follow(again)

    assert asked == {WAREHOUSE: {"2024-02"}}
    assert again[WAREHOUSE] == {"2024-02"}
    games = 2 * (GAMES_PER_MONTH + daemon.archives.played["2024-02"])
    assert daemon.location.rows_by_month()["2024-02"] == games
    _, player_months = MARTS
    assert daemon.tick() == {player_months: {"2024-02"}}


def test_a_load_that_failed_is_asked_for_again_once_an_hour(
    daemon: Daemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> Any:
        raise OSError("the disk is full")

    daemon.land("2024-02", "2024-02")
    asked = daemon.tick()
    with monkeypatch.context() as patch:
        patch.setattr(warehouse_asset, "load_month", fail)
        assert not daemon.location.materialize("2024-02", WAREHOUSE).result.success
    hour = timedelta(hours=1)

    assert daemon.tick() == {}
    assert [daemon.tick(hour), daemon.tick(hour)] == [asked, {}]
    daemon.follow(asked)
    assert daemon.tick(hour) == _marts("2024-02")
    assert daemon.tick(2 * hour) == {}


def test_several_months_that_were_loaded_ask_for_each_mart_once(daemon: Daemon) -> None:
    daemon.land("2024-01...2024-03", "2024-01", "2024-02", "2024-03")
    asked = daemon.tick()
    assert asked == {WAREHOUSE: {"2024-01", "2024-02", "2024-03"}}

    daemon.location.materialize("2024-01...2024-03", WAREHOUSE)

    assert daemon.tick() == _marts("2024-01", "2024-02", "2024-03")
    assert daemon.tick() == {}


def test_the_good_months_of_a_run_that_failed_flow_on(daemon: Daemon) -> None:
    daemon.archives.played.update(["2024-01", "2024-03"])
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
    daemon.land("2024-03", "2024-03")
    run = location.materialize("2024-03...2024-04", WAREHOUSE, *MARTS)
    assert [*run.materialized(WAREHOUSE)] == ["2024-03"]

    assert daemon.tick() == _marts("2024-03")


def test_what_a_run_has_loaded_itself_is_not_asked_for_again(daemon: Daemon) -> None:
    daemon.archives.played.update(["2024-02", "2024-03"])
    daemon.location.materialize("2024-02...2024-03", LANDING, WAREHOUSE, *MARTS)

    assert daemon.tick() == {}


@pytest.mark.parametrize("months", ["2024-02...2024-03", "2024-02"])
def test_what_a_run_is_about_to_load_is_not_asked_for_meanwhile(
    daemon: Daemon, monkeypatch: pytest.MonkeyPatch, months: str
) -> None:
    ticks: list[Requests] = []

    def load(*args: Any) -> Any:
        ticks.append(daemon.tick())
        return load_month(*args)

    monkeypatch.setattr(warehouse_asset, "load_month", load)
    daemon.archives.played.update(["2024-02", "2024-03"])

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
