"""The sensors that tell of real failed runs, of checks and of stale tables, once each."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest
from starlette.responses import Response

from pipelines_project.alerts import told
from pipelines_project.alerts.webhook import Webhook
from pipelines_project.components.chess import ChessSource
from pipelines_project.months import month_of, months_between, previous_month
from pipelines_project.orchestration import alert_sensor
from pipelines_project.orchestration.alert_sensor import Watch
from pipelines_project.orchestration.stale_tables import stale_tables
from pipelines_project.orchestration.table_assets import landing_key
from pipelines_project.table import Table
from pipelines_project_tests.alerts.receivers import Hook, hook
from pipelines_project_tests.code_location import LANDING, MARTS, WAREHOUSE, CodeLocation

pytestmark = pytest.mark.stack

_FEBRUARY = "hikaru/games/2024/02"
_NOW = datetime.now(UTC)


@dataclass
class Told:
    """A sensor that has looked once, what it sends to, and the clock that it goes by."""

    hook: Hook
    instance: dg.DagsterInstance
    seconds_later: float = 0
    cursor: str | None = None
    watch: Watch = field(default_factory=lambda: Watch([], None, "http://ui:3000"))

    def look(self) -> str:
        """Let the sensor look, and return what it says of the tick."""
        sensor = alert_sensor.alert_sensor(
            "webhook", self.watch, lambda: Webhook(self.hook.url), is_on=True
        )
        result = sensor(dg.build_sensor_context(self.instance, cursor=self.cursor))
        assert isinstance(result, dg.SensorResult)
        assert result.skip_reason
        self.cursor = result.cursor
        return str(result.skip_reason.skip_message)


@pytest.fixture
def alerts(chess: CodeLocation, monkeypatch: pytest.MonkeyPatch) -> Iterator[Told]:
    with hook() as receiver:
        made = Told(receiver, chess.instance)

        class Clock:
            @staticmethod
            def time() -> float:
                return datetime.now(UTC).timestamp() + made.seconds_later

        monkeypatch.setattr(alert_sensor, "time", Clock)
        made.look()
        yield made


def test_a_failed_run_is_told_once_with_its_months_the_reason_and_a_link(
    chess: CodeLocation, alerts: Told
) -> None:
    chess.faults.answer_always(_FEBRUARY, Response(status_code=404))
    failed = chess.materialize("2024-01...2024-03", LANDING)

    assert alerts.look() == "1 delivered"
    assert alerts.look() == "there is nothing to tell"

    [text] = alerts.hook.texts
    title, what, *reason = text.splitlines()
    assert title == "*landing/chess/games 2024-02 failed*"
    assert what == "landing/chess/games 2024-02"
    assert "404" in text
    assert "1 of 3 months of landing/chess/games failed" in reason[0]
    assert reason[-1] == f"http://ui:3000/runs/{failed.result.run_id}"


def test_runs_of_before_the_first_look_and_good_runs_are_not_told(
    chess: CodeLocation, alerts: Told
) -> None:
    chess.materialize("", MARTS[0])
    alerts.cursor = None
    alerts.look()
    chess.materialize("2024-01", LANDING, WAREHOUSE)

    assert alerts.look() == "there is nothing to tell"
    assert alerts.hook.texts == []


def test_a_run_that_is_given_a_tag_later_is_not_told_again(
    chess: CodeLocation, alerts: Told
) -> None:
    failed = chess.materialize("", MARTS[0])
    alerts.look()
    # As if much had happened since.
    alerts.cursor = told.Told(datetime.now(UTC).timestamp()).text
    chess.instance.add_run_tags(failed.result.run_id, {"looked_at_by": "somebody"})

    assert alerts.look() == "there is nothing to tell"
    assert len(alerts.hook.texts) == 1


def test_a_run_that_dagster_starts_again_is_not_told(chess: CodeLocation, alerts: Told) -> None:
    failed = chess.materialize("", MARTS[0])
    chess.instance.add_run_tags(failed.result.run_id, {"dagster/will_retry": "true"})

    assert alerts.look() == "there is nothing to tell"


def test_a_run_that_was_ended_from_outside_says_so(chess: CodeLocation, alerts: Told) -> None:
    run = chess.instance.create_run_for_job(
        chess.defs.resolve_job_def("chess_materialize"),
        tags={"dagster/partition": "2024-01"},
    )
    chess.instance.report_run_failed(run, "Exceeded maximum runtime of 86400 seconds.")

    assert alerts.look() == "1 delivered"

    [text] = alerts.hook.texts
    assert text.startswith("*landing/chess/games, ")
    assert "2024-01 failed*" in text
    assert "Exceeded maximum runtime" in text


def _damage(chess: CodeLocation) -> None:
    with chess.warehouse.connect() as connection:
        connection.execute("delete from chess.games where month = '2024-01' and player = 'erik'")


def test_a_check_is_told_when_it_begins_to_fail_and_not_as_long_as_it_goes_on(
    chess: CodeLocation, alerts: Told
) -> None:
    chess.materialize("2024-01...2024-02")
    _damage(chess)
    chess.check()
    assert alerts.look() == "1 delivered"
    chess.check()
    assert alerts.look() == "there is nothing to tell"

    [text] = alerts.hook.texts
    assert text.startswith("*warehouse/chess/games warehouse_rows_match_landing does not hold*")
    assert "2024-01: " in text
    assert "2024-02: " not in text


def test_a_check_that_held_meanwhile_is_told_again(chess: CodeLocation, alerts: Told) -> None:
    chess.materialize("2024-01")
    whole = chess.warehouse.rows("select count(*) from chess.games")
    for _ in range(2):
        _damage(chess)
        chess.check()
        alerts.look()
        chess.run(
            chess.defs.resolve_job_def("chess_rebuild_warehouse"),
            config={"ops": {"chess_rebuild_tables": {"config": {"dry_run": False}}}},
        )
        assert chess.warehouse.rows("select count(*) from chess.games") == whole
        chess.check()
        alerts.look()

    assert len(alerts.hook.texts) == 2


def test_a_webhook_that_is_down_is_asked_again_later_and_gets_each_alert_once(
    chess: CodeLocation, alerts: Told
) -> None:
    chess.materialize("", MARTS[0])
    chess.materialize("", MARTS[1])
    alerts.hook.status = 500
    assert alerts.look() == "the webhook answered 500 Internal Server Error; 0 delivered before"
    alerts.hook.status = 200
    assert "failed 1 times, and is tried again at" in alerts.look()

    alerts.seconds_later = 61

    assert alerts.look() == "2 delivered"
    assert alerts.look() == "there is nothing to tell"
    assert len(alerts.hook.texts) == 2


def test_an_alert_that_cannot_be_delivered_is_given_up_after_half_a_day_and_the_next_says_so(
    chess: CodeLocation, alerts: Told
) -> None:
    chess.materialize("", MARTS[0])
    chess.materialize("", MARTS[1])
    alerts.hook.status = 500
    ticks = 0
    while "delivered" in (said := alerts.look()) and ticks < 11:
        ticks += 1
        alerts.seconds_later += 3601
    assert ticks == 11
    assert alerts.seconds_later > 11 * 3600
    assert "500" not in said

    alerts.seconds_later += 3601
    alerts.hook.status = 200

    assert alerts.look() == "1 delivered"
    [text] = alerts.hook.texts
    assert MARTS[1] in text.splitlines()[0]
    assert "1 alerts before this one could not be delivered" in text


def _fail(chess: CodeLocation, months: Sequence[str]) -> None:
    """End runs from outside, which is the quickest way to have many."""
    job = chess.defs.resolve_job_def("chess_materialize")
    for month in months:
        run = chess.instance.create_run_for_job(job, tags={"dagster/partition": month})
        chess.instance.report_run_failed(run, f"The worker of {month} was killed.")


def test_many_runs_that_fail_at_once_are_one_message(chess: CodeLocation, alerts: Told) -> None:
    _fail(chess, months_between("2023-01", "2023-08"))

    assert alerts.look() == "1 delivered"
    assert alerts.look() == "there is nothing to tell"

    [text] = alerts.hook.texts
    title, what, times, reason, *_, link = text.splitlines()
    assert title == "*8 runs with failures*"
    assert what.startswith("landing/chess/games, ")
    assert what.endswith(" 2023-01...2023-08")
    assert times == "8 times, the last time:"
    assert "2023-08 was killed" in reason
    assert link == "http://ui:3000/runs"


def test_runs_that_go_on_failing_are_told_one_by_one_at_first_and_then_four_times_an_hour(
    chess: CodeLocation, alerts: Told
) -> None:
    for month in months_between("2023-01", "2023-05"):
        _fail(chess, [month])
        assert alerts.look() == "1 delivered"
    for month in ("2023-06", "2023-07"):
        _fail(chess, [month])
        assert alerts.look() == "there is nothing to tell"

    alerts.seconds_later = 901

    assert alerts.look() == "1 delivered"
    titles = [text.splitlines()[0] for text in alerts.hook.texts]
    assert all(title.endswith(" failed*") for title in titles[:5])
    assert titles[5:] == ["*2 runs with failures*"]
    assert alerts.hook.texts[5].splitlines()[1].endswith(" 2023-06...2023-07")


def test_a_digest_that_cannot_be_delivered_is_sent_again_whole(
    chess: CodeLocation, alerts: Told
) -> None:
    _fail(chess, months_between("2023-01", "2023-06"))
    alerts.hook.status = 500
    assert "answered 500" in alerts.look()
    alerts.hook.status = 200
    alerts.seconds_later = 61

    assert alerts.look() == "1 delivered"
    assert "*6 runs with failures*" in alerts.hook.texts[0]


@pytest.fixture
def games() -> Table:
    [table] = ChessSource(players="erik", contact="a@example.org").monthly_tables()
    return table


def _landed(instance: dg.DagsterInstance, table: Table, *months: str) -> None:
    for month in months:
        materialized = dg.AssetMaterialization(landing_key(table), partition=month)
        instance.report_runless_asset_event(materialized)


def test_a_table_is_stale_when_its_current_month_was_not_landed_for_days(
    instance: dg.DagsterInstance, games: Table
) -> None:
    this = month_of(_NOW)
    later = datetime.now(UTC) + timedelta(days=2, minutes=1)
    _landed(instance, games, "2024-01", this)

    assert stale_tables(instance, [games], 2, datetime.now(UTC)) == {}
    [matter] = stale_tables(instance, [games], 2, later).values()
    assert matter.what == LANDING
    assert "last landed" in matter.reason
    _landed(instance, games, this)
    assert stale_tables(instance, [games], 2.1, later) == {}


def test_an_old_month_that_is_landed_again_makes_the_current_one_not_new(
    instance: dg.DagsterInstance, games: Table
) -> None:
    later = datetime.now(UTC) + timedelta(days=3)
    _landed(instance, games, previous_month(month_of(later)), "2024-01")
    assert [*stale_tables(instance, [games], 2, later)] == [LANDING]


def test_what_was_never_landed_or_has_no_schedule_or_is_paused_is_not_stale(
    instance: dg.DagsterInstance, games: Table
) -> None:
    later = datetime.now(UTC) + timedelta(days=9)
    assert stale_tables(instance, [games], 2, later) == {}
    _landed(instance, games, month_of(_NOW))
    for timing in (replace(games.timing, cron=None), replace(games.timing, paused=True)):
        assert stale_tables(instance, [replace(games, timing=timing)], 2, later) == {}


def test_stale_tables_are_told_once_until_they_are_landed(alerts: Told, games: Table) -> None:
    alerts.watch = Watch([games], 2, "http://ui:3000")
    _landed(alerts.instance, games, month_of(_NOW))
    alerts.seconds_later = 2 * 86_400 + 1

    assert alerts.look() == "1 delivered"
    assert alerts.look() == "there is nothing to tell"

    assert alerts.hook.texts[0].startswith("*landing/chess/games: nothing new for 2 days*")
