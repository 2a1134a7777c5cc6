"""Tables of one source: first months of their own, snapshots, and when schedules land them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import dlt
import pytest
from dagster.components.testing.utils import component_defs
from pydantic import Field, PrivateAttr, ValidationError

from pipelines_project.components.monthly_source import MonthlySource
from pipelines_project.components.table_settings import TableSettings
from pipelines_project.landing.zone import LandingZone
from pipelines_project.months import month_of, previous_month
from pipelines_project.orchestration.runs_by_months import closing_rows
from pipelines_project.sources.fetch import Extract, Fetch
from pipelines_project.sources.http.api_calls import ApiCalls
from pipelines_project.table import Table
from pipelines_project.warehouse.database import Warehouse
from pipelines_project_tests.code_location import Run, range_tags
from pipelines_project_tests.kept import empty_instance
from pipelines_project_tests.landings import write_load

NOW = month_of(datetime.now(UTC))
BEFORE = previous_month(NOW)


class Item(TableSettings):
    is_snapshot: bool = Field(default=False, description="Whether it has no months.")


class Made(MonthlySource):
    """A source whose rows are made up: a row for each month, or those that a test sets."""

    tables: list[Item] = Field(description="The tables.")
    _rows: dict[str, list[dict[str, Any]]] = PrivateAttr(default_factory=dict)

    def monthly_tables(self) -> list[Table]:
        return [
            self.table(item, self._extractor(item), is_snapshot=item.is_snapshot)
            for item in self.tables
        ]

    def _extractor(self, item: Item) -> Any:
        def extractor(_calls: ApiCalls, _landing: LandingZone) -> Extract:
            def extract(month: str, _: Fetch) -> Any:
                rows = self._rows.get(item.name, [{"id": 1, "of_month": month}])
                if rows == [{}]:
                    raise OSError("the source is down")
                return dlt.resource(
                    iter(rows), name=item.name, columns={"id": {"data_type": "bigint"}}
                )

            return extract

        return extractor


@dataclass
class Location:
    source: Made
    defs: dg.Definitions
    instance: dg.DagsterInstance
    landing: LandingZone
    warehouse: Warehouse
    rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def materialize(self, months: str, *selected: str, **tags: str) -> Run:
        first, _, last = months.partition("...")
        keys = [dg.AssetKey.from_user_string(key) for key in selected] or None
        result = self.defs.resolve_job_def("made_materialize").execute_in_process(
            instance=self.instance,
            asset_selection=keys,
            partition_key=None if last else first,
            tags={**(range_tags(first, last) if last else {}), **tags},
            raise_on_error=False,
        )
        return Run(result, self.instance)

    def tick(self, schedule: str, moment: datetime) -> Any:
        definition = self.defs.resolve_schedule_def(schedule)
        context = dg.build_schedule_context(
            self.instance,
            scheduled_execution_time=moment,
            repository_def=self.defs.get_repository_def(),
        )
        return definition.evaluate_tick(context)


@contextmanager
def located(folder: Path, *tables: dict[str, Any], **attributes: Any) -> Iterator[Location]:
    settings: dict[str, Any] = {"source": "made", "start_month": "2024-01"} | attributes
    source = Made(**settings, tables=[Item(**table) for table in tables])
    landing = LandingZone(url=str(folder / "landing"))
    warehouse = Warehouse(url=str(folder / "warehouse.duckdb"))
    defs = component_defs(component=source, resources={"landing": landing, "warehouse": warehouse})
    with empty_instance() as instance:
        yield Location(source, defs, instance, landing, warehouse, source._rows)


@pytest.mark.stack
def test_tables_with_other_first_months_are_materialized_together(tmp_path: Path) -> None:
    tables = {"name": "old"}, {"name": "new", "start_month": "2024-03"}
    with located(tmp_path, *tables) as made:
        run = made.materialize("2024-02...2024-03")

        assert run.result.success
        assert made.landing.months("made", "old") == ["2024-02", "2024-03"]
        assert made.landing.months("made", "new") == ["2024-03"]
        told = run.materialized("landing/made/new")["2024-02"]
        assert told["nothing_to_land"] == "new begins in 2024-03"
        asked = {dg.AssetKey(["landing", "made", "new"]): ["2024-02", "2024-03"]}
        [row] = closing_rows(asked, made.instance.all_logs(run.result.run_id))
        assert row[:5] == ("landing/made/new", 1, 1, 0, 1)
        assert made.warehouse.rows("select month, of_month from made.new") == [
            ("2024-03", "2024-03")
        ]


@pytest.mark.stack
def test_a_snapshot_lands_in_the_month_in_which_it_is_taken(tmp_path: Path) -> None:
    with located(tmp_path, {"name": "agents", "is_snapshot": True}) as made:
        run = made.materialize(f"{BEFORE}...{NOW}")

        assert run.result.success
        assert made.landing.months("made", "agents") == [NOW]
        assert "is a snapshot" in run.materialized("landing/made/agents")[BEFORE]["nothing_to_land"]
        assert all(check.passed for check in run.checks().values())


@pytest.mark.stack
def test_the_warehouse_has_the_newest_snapshot_alone(tmp_path: Path) -> None:
    with located(tmp_path, {"name": "agents", "is_snapshot": True, "key": ["id"]}) as made:
        made.rows["agents"] = [{"id": 1}, {"id": 2}]
        made.materialize(NOW)
        made.rows["agents"] = [{"id": 2}, {"id": 3}]
        run = made.materialize(NOW)

        assert run.result.success
        assert all(check.passed for check in run.checks().values())
        assert made.warehouse.rows("select id, month from made.agents order by 1") == [
            (2, NOW),
            (3, NOW),
        ]


def test_a_paused_table_is_left_alone_by_its_schedule(tmp_path: Path) -> None:
    with located(tmp_path, {"name": "a"}, {"name": "b", "paused": True}) as made:
        tick = made.tick("made_materialize_schedule", datetime(2024, 5, 10, 6, tzinfo=UTC))

        [request] = tick.run_requests
        assert [key.to_user_string() for key in request.asset_selection] == [
            "landing/made/a",
            "warehouse/made/a",
        ]


def test_a_schedule_outside_the_window_asks_for_nothing_and_says_why(tmp_path: Path) -> None:
    with located(tmp_path, {"name": "a", "window": "22:00-06:00"}) as made:
        by_day = made.tick("made_materialize_schedule", datetime(2024, 5, 10, 6, tzinfo=UTC))
        by_night = made.tick("made_materialize_schedule", datetime(2024, 5, 10, 5, tzinfo=UTC))

        assert "from 22:00 to 06:00 UTC" in by_day.skip_message
        assert [request.partition_key for request in by_night.run_requests] == ["2024-05"]


def test_a_schedule_looks_back_at_closed_months(tmp_path: Path) -> None:
    tables = {"name": "a", "lookback_months": 2}, {"name": "b", "priority": 5}
    with located(tmp_path, *tables) as made:
        tick = made.tick("made_materialize_schedule", datetime(2024, 2, 10, 6, tzinfo=UTC))

        asked = [
            (each.partition_key, each.tags.get("dagster/priority")) for each in tick.run_requests
        ]
        # 2023-12 is before the first month.
        assert asked == [("2024-01", None), ("2024-02", None), ("2024-02", "5")]
        assert len({each.run_key for each in tick.run_requests}) == 3


def test_a_table_with_a_cron_of_its_own_has_a_schedule_of_its_own(tmp_path: Path) -> None:
    with located(tmp_path, {"name": "a"}, {"name": "b", "cron": "0 * * * *"}) as made:
        schedules = {each.name: each for each in made.defs.get_repository_def().schedule_defs}
        tick = made.tick("made_b_materialize_schedule", datetime(2024, 5, 10, 6, tzinfo=UTC))

        assert {name: each.cron_schedule for name, each in schedules.items()} == {
            "made_materialize_schedule": "0 6 * * *",
            "made_b_materialize_schedule": "0 * * * *",
        }
        [request] = tick.run_requests
        assert request.asset_selection == [
            dg.AssetKey(["landing", "made", "b"]),
            dg.AssetKey(["warehouse", "made", "b"]),
        ]


@pytest.mark.stack
def test_a_table_that_fails_again_and_again_rests_until_it_succeeds(tmp_path: Path) -> None:
    moment = datetime(2024, 5, 10, 6, tzinfo=UTC)
    with (
        located(tmp_path, {"name": "a", "failures_before_pause": 2}) as made,
        # A schedule sees only an instance that other processes could open too.
        dg.DagsterInstance.local_temp(str(tmp_path)) as made.instance,
    ):

        def asked() -> list[dg.RunRequest]:
            return made.tick("made_materialize_schedule", moment).run_requests or []

        [request] = asked()
        made.rows["a"] = [{}]
        for _ in range(2):
            assert asked()
            assert not made.materialize("2024-05", **request.tags).result.success
        said = made.tick("made_materialize_schedule", moment).skip_message
        assert "its last 2 runs failed" in said

        del made.rows["a"]
        assert made.materialize("2024-05").result.success
        assert len(asked()) == 1


def test_owners_and_tags_are_on_both_assets(tmp_path: Path) -> None:
    table = {"name": "a", "owners": ["team:sales"], "tags": {"tier": "gold"}}
    with located(tmp_path, table) as made:
        graph = made.defs.resolve_asset_graph()
        for layer in ("landing", "warehouse"):
            node = graph.get(dg.AssetKey([layer, "made", "a"]))
            assert (node.owners, node.tags["tier"]) == (["team:sales"], "gold")


def test_a_table_without_owners_has_those_of_its_source(tmp_path: Path) -> None:
    tables = {"name": "a"}, {"name": "b", "owners": ["team:sales"]}
    with located(tmp_path, *tables, owners=["team:data"]) as made:
        graph = made.defs.resolve_asset_graph()
        owners = [graph.get(dg.AssetKey(["landing", "made", name])).owners for name in "ab"]
        assert owners == [["team:data"], ["team:sales"]]


@pytest.mark.stack
def test_rows_are_shown_where_no_table_of_the_source_holds_persons(tmp_path: Path) -> None:
    with located(tmp_path / "shown", {"name": "a"}) as made:
        run = made.materialize("2024-01...2024-02", "landing/made/a", "warehouse/made/a")
        for shown in run.materialized("warehouse/made/a").values():
            assert [record.data for record in shown["sample_rows"].records] == [
                {"month": "2024-02", "id": "1", "of_month": "2024-02"}
            ]
        for month, shown in run.materialized("landing/made/a").items():
            assert [record.data for record in shown["sample_rows"].records] == [
                {"id": "1", "of_month": month}
            ]

    persons = {"name": "b", "subject": "id"}
    with located(tmp_path / "hidden", {"name": "a"}, persons) as made:
        run = made.materialize("2024-01", "landing/made/a", "warehouse/made/a")
        assert "sample_rows" not in run.materialized("landing/made/a")["2024-01"]
        assert "sample_rows" not in run.materialized("warehouse/made/a")["2024-01"]
        [record] = (tmp_path / "hidden").rglob("_*.json")
        assert '"sample":null' in record.read_text()


@pytest.mark.stack
def test_rows_of_an_earlier_load_are_not_shown_once_persons_are_said_to_be_in_them(
    tmp_path: Path,
) -> None:
    with located(tmp_path, {"name": "a"}) as made:
        assert made.materialize("2024-01", "landing/made/a").result.success

    later = {"name": "a", "subject": "id", "start_month": "2024-02"}
    with located(tmp_path, later, {"name": "b"}) as made:
        shown = made.materialize("2024-01", "landing/made/a").materialized("landing/made/a")
    shown = shown["2024-01"]
    assert shown["nothing_to_land"] == "a begins in 2024-02"
    assert "load_id" in shown
    assert "sample_rows" not in shown


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        ("window", "22-06"),
        ("window", "06:00-06:00"),
        ("window", "24:00-06:00"),
        ("lookback_months", -1),
        ("failures_before_pause", 0),
        ("start_month", "2024"),
        ("name", "Two Words"),
        ("key", ["Id"]),
        ("loader", "history"),
        ("loader", "merge"),
        ("whole_months", True),
        ("version_column", "updated_at"),
    ],
)
def test_a_wrong_setting_of_a_table_is_refused_by_name(attribute: str, value: Any) -> None:
    with pytest.raises(ValidationError, match=attribute):
        Item(**{"name": "a", attribute: value})


def test_the_months_due_are_in_order_and_once() -> None:
    timing = Item(name="a", lookback_months=3).timing("0 6 * * *")

    months = timing.months_due(datetime(2024, 3, 2, tzinfo=UTC))

    assert months == ["2023-12", "2024-01", "2024-02", "2024-03"]
    assert timing.is_within_window(datetime.now(UTC) + timedelta(hours=5))


@pytest.mark.stack
def test_a_snapshot_with_history_keeps_what_earlier_months_had(tmp_path: Path) -> None:
    table = {"name": "agents", "is_snapshot": True, "key": ["id"], "loader": "history"}
    with located(tmp_path, table) as made:
        earlier = made.landing.month("made", "agents", BEFORE)
        write_load(earlier, "1.5", [[{"id": 1, "name": "a"}, {"id": 2, "name": "b"}]])
        made.rows["agents"] = [{"id": 2, "name": "c"}]
        run = made.materialize(f"{BEFORE}...{NOW}")

        assert run.result.success
        assert all(check.passed for check in run.checks().values())
        assert made.warehouse.rows(
            "select id, name, month, until_month, is_current from made.agents order by id, month"
        ) == [
            (1, "a", BEFORE, NOW, False),
            (2, "b", BEFORE, NOW, False),
            (2, "c", NOW, None, True),
        ]


@pytest.mark.parametrize(
    ("harm", "check", "said"),
    [
        ("delete from made.agents where id = 1", "warehouse_rows_match_landing", "1 keys differ"),
        pytest.param(
            "update made.agents set valid_to = null",
            "agents_have_unique_keys",
            "2 versions that overlap the next",
            marks=pytest.mark.stack,
        ),
        pytest.param(
            "update made.agents set row_hash = ''",
            "warehouse_rows_match_landing",
            "2 keys differ",
            marks=pytest.mark.stack,
        ),
    ],
)
def test_a_history_that_does_not_state_what_is_landed_is_found(
    tmp_path: Path, harm: str, check: str, said: str
) -> None:
    table = {"name": "agents", "key": ["id"], "loader": "history", "whole_months": True}
    with located(tmp_path, table) as made:
        for number, month in enumerate(("2024-01", "2024-02")):
            rows = [{"id": 1, "name": str(number)}, {"id": 2, "name": str(number)}]
            write_load(made.landing.month("made", "agents", month), f"{number + 1}.5", [rows])
        assert made.materialize("2024-01...2024-02", "warehouse/made/agents").result.success
        with made.warehouse.connect() as connection:
            connection.execute(harm)

        key = dg.AssetKey.from_user_string("warehouse/made/agents")
        job = dg.define_asset_job("checks_alone", dg.AssetSelection.checks_for_assets(key))
        defs = dg.Definitions.merge(made.defs, dg.Definitions(jobs=[job]))
        result = defs.resolve_job_def("checks_alone").execute_in_process(instance=made.instance)
        found = {each.check_name: each for each in result.get_asset_check_evaluations()}

        wrong: Any = found[check].metadata["wrong"].value
        assert not found[check].passed
        assert wrong["2024-01"] == said


@pytest.mark.stack
def test_a_table_with_history_is_loaded_without_it_only_when_it_is_rebuilt(tmp_path: Path) -> None:
    table = {"name": "prices", "key": ["id"]}
    with located(tmp_path, {**table, "loader": "history"}) as made:
        assert made.materialize("2024-01").result.success
    before = made.warehouse.rows("from made.prices")

    with located(tmp_path, table) as made:
        run = made.materialize("2024-02")
        assert not run.result.success
        assert "has every version of its rows, and to load it without history" in run.error
        assert made.warehouse.rows("from made.prices") == before

        rebuild = made.defs.resolve_job_def("made_rebuild_warehouse")
        config = {"ops": {"made_rebuild_tables": {"config": {}}}}
        assert rebuild.execute_in_process(config, instance=made.instance).success
        assert made.materialize("2024-02").result.success
        rows = "select month, id, of_month from made.prices order by all"
        assert made.warehouse.rows(rows) == [(m, 1, m) for m in ("2024-01", "2024-02")]
