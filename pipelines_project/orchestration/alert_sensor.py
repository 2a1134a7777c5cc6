"""The sensor of a channel: it tells once of each run that failed, and of tables that are stale."""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import dagster as dg

from pipelines_project.alerts.alert import Alert, Matter
from pipelines_project.alerts.channel import Channel, DeliveryError
from pipelines_project.alerts.digest import digest
from pipelines_project.alerts.told import MOST_SINGLE, Told, told_before
from pipelines_project.orchestration.run_alert import run_alert
from pipelines_project.orchestration.stale_tables import stale_tables
from pipelines_project.table import Table

_RUNS_A_TICK = 500
# A tick has a minute, after which Dagster ends it and what it has done is forgotten.
_SECONDS_A_TICK = 15.0
_ENDED = [dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.SUCCESS]


@dataclass(frozen=True)
class Watch:
    """What is looked at.

    Attributes:
        tables: those that can become stale.
        stale_after_days: after how many days they are; None for never.
        base_url: where the UI is, for links.
    """

    tables: Sequence[Table]
    stale_after_days: float | None
    base_url: str


def alert_sensor(
    name: str, watch: Watch, channel: Callable[[], Channel | str], *, is_on: bool
) -> dg.SensorDefinition:
    """Return the sensor of one channel.

    Each channel has its own, so that one that is down holds up no other.

    Args:
        name: of the channel.
        watch: what is looked at.
        channel: returns it, or why there is none.
        is_on: whether the sensor is on at first.
    """
    status = dg.DefaultSensorStatus
    off = "" if is_on else " It is off because its environment variable is not set."

    @dg.sensor(
        name=f"alerts_{name}",
        minimum_interval_seconds=60,
        default_status=status.RUNNING if is_on else status.STOPPED,
        description=f"Tell of runs and checks that fail and of tables that are stale.{off}",
    )
    def sensor(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        now, found = time.time(), channel()
        told = told_before(context.cursor, now)
        if isinstance(found, str):
            return dg.SensorResult(skip_reason=found, cursor=context.cursor)
        if now < told.not_before:
            until = datetime.fromtimestamp(told.not_before, UTC)
            reason = f"failed {told.failures} times, and is tried again at {until:%H:%M:%S} UTC"
            return dg.SensorResult(skip_reason=reason, cursor=context.cursor)
        said = _Tick(context.instance, watch, found, told, context.log).tell(now)
        return dg.SensorResult(skip_reason=said, cursor=told.text)

    return sensor


@dataclass
class _Tick:
    """One look of a sensor."""

    instance: dg.DagsterInstance
    watch: Watch
    channel: Channel
    told: Told
    log: logging.Logger
    delivered: int = 0

    def tell(self, now: float) -> str:
        """Tell what there is to be told, and return what came of it."""
        try:
            for alert, note in self._due(now):
                if alert:
                    self._deliver(alert)
                note()
                is_down = self.told.not_before > now
                if is_down or time.time() - now > _SECONDS_A_TICK:
                    break
        except DeliveryError as error:
            return f"{error}; {self.delivered} delivered before"
        return f"{self.delivered} delivered" if self.delivered else "there is nothing to tell"

    def _due(self, now: float) -> Iterator[tuple[Alert | None, Callable[[], None]]]:
        """Yield each alert, or None, with what to note once it is delivered.

        Where many runs fail, in one tick or in an hour, one alert tells of all of them.
        """
        due = [*self._of_runs(now)]
        alerts = [alert for alert, _ in due if alert]
        recent = len(self.told.delivered_since(now))
        if not alerts or len(alerts) + recent <= MOST_SINGLE:
            yield from due
        elif not self.told.is_collecting(now):

            def note_all() -> None:
                for _, note in due:
                    note()

            yield digest(alerts, f"{self.watch.base_url}/runs"), note_all
        if self.watch.stale_after_days is not None:
            yield self._stale(self.watch.stale_after_days, datetime.fromtimestamp(now, UTC))

    def _of_runs(self, now: float) -> Iterator[tuple[Alert | None, Callable[[], None]]]:
        """Yield the alert about each run that has ended, or None, in order, as long as is time."""
        told, checks = self.told, self.told.checks
        for record in self._ended_runs():
            if time.time() - now > _SECONDS_A_TICK:
                return
            run, changed_at = record.dagster_run, record.update_timestamp.timestamp()
            alert, checks = run_alert(self.instance, run, checks, base_url=self.watch.base_url)

            def note_run(
                run_id: str = run.run_id, at: float = changed_at, checks: dict[str, str] = checks
            ) -> None:
                told.checks = checks
                told.note_run(run_id, at)

            yield alert, note_run

    def _ended_runs(self) -> list[dg.RunRecord]:
        """Return the runs that have ended and are not told, in the order in which they ended."""
        told = self.told
        since = datetime.fromtimestamp(told.since, UTC)
        records = self.instance.get_run_records(
            dg.RunsFilter(statuses=_ENDED, updated_after=since),
            limit=_RUNS_A_TICK + len(told.runs),
            order_by="update_timestamp",
            ascending=True,
        )
        # A run that ended long before was only given a tag.
        return [
            each
            for each in records
            if each.dagster_run.run_id not in told.runs
            and (each.end_time or told.since) >= told.since
        ]

    def _stale(self, days: float, now: datetime) -> tuple[Alert | None, Callable[[], None]]:
        stale = stale_tables(self.instance, self.watch.tables, days, now)
        new = [matter for name, matter in stale.items() if name not in self.told.stale]

        def note() -> None:
            self.told.stale = sorted(stale)

        if not new:
            return None, note
        what = new[0].what if len(new) == 1 else f"{len(new)} tables"
        return Alert(f"{what}: nothing new for {days:g} days", new, self.watch.base_url), note

    def _deliver(self, alert: Alert) -> None:
        """Deliver an alert, or give it up after many failures.

        Raises:
            DeliveryError: it is to be tried again.
        """
        if lost := self.told.given_up:
            note = f"{lost} alerts before this one could not be delivered: see the list of runs"
            alert = Alert(alert.title, [*alert.matters, Matter("Alerts", note)], alert.link)
        try:
            self.channel.send(alert)
        except DeliveryError as error:
            is_given_up = self.told.note_failure(time.time())
            if not is_given_up:
                self.log.warning(f"{error}: {alert.title!r} is tried again")
                raise
            self.log.error(f"{error}: {alert.title!r} is given up")
        else:
            self.told.note_delivery(time.time())
            self.delivered += 1
