"""Which tables have had nothing new for too long, which fails no run."""

from collections.abc import Sequence
from datetime import UTC, datetime

import dagster as dg

from pipelines_project.alerts.alert import Matter
from pipelines_project.months import month_of, previous_month
from pipelines_project.orchestration.table_assets import landing_key
from pipelines_project.table import Table


def stale_tables(
    instance: dg.DagsterInstance, tables: Sequence[Table], days: float, now: datetime
) -> dict[str, Matter]:
    """Return, by its asset, each table whose current month was not landed for so many days.

    In the first days of a month its predecessor counts as current too. A table that was never
    landed has not begun, and one without a schedule or with `paused` is not expected to be new.
    """
    months = [month_of(now), previous_month(month_of(now))]
    found: dict[str, Matter] = {}
    for table in tables:
        if table.timing.cron is None or table.timing.paused:
            continue
        key = landing_key(table)
        landed_at = _landed_at(instance, key, months)
        if landed_at is not None and now.timestamp() - landed_at > days * 86_400:
            name = key.to_user_string()
            at = datetime.fromtimestamp(landed_at, UTC)
            reason = f"last landed {at:%Y-%m-%d %H:%M} UTC: is its schedule switched on?"
            found[name] = Matter(name, reason, months[0])
    return found


def _landed_at(
    instance: dg.DagsterInstance, key: dg.AssetKey, months: Sequence[str]
) -> float | None:
    """Return when one of the months was last landed, or else any; None if nothing ever was.

    To land an old month again does not make the current one new.
    """
    newest = instance.fetch_materializations(
        dg.AssetRecordsFilter(key, asset_partitions=months), limit=1
    ).records
    if newest:
        return newest[0].timestamp
    ever = instance.get_latest_materialization_event(key)
    return ever.timestamp if ever else None
