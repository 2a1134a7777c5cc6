"""Which runs must stay: those that hold the newest word on a month, an asset or a check."""

from collections.abc import Iterator
from typing import Any

import dagster as dg
from sqlalchemy import text

# How many records are read at once.
_PAGE = 500


def needed_runs(instance: dg.DagsterInstance) -> set[str]:
    """Return the runs without which Dagster would know less of what is there now.

    Those are the runs that hold the newest materialization of a month, or of an asset that has
    none, and the newest evaluation of a check, of each month that it tells apart.
    """
    found: set[str] = set()
    for key in instance.get_asset_keys():
        found.update(_materializing(instance, key))
    for check in _checks(instance):
        found.update(_evaluating(instance, check))
    return found


def _materializing(instance: dg.DagsterInstance, key: dg.AssetKey) -> Iterator[str]:
    newest = instance.get_latest_storage_id_by_partition(
        key, dg.DagsterEventType.ASSET_MATERIALIZATION
    )
    ids = sorted(newest.values())
    for first in range(0, len(ids), _PAGE):
        page = ids[first : first + _PAGE]
        wanted = dg.AssetRecordsFilter(key, storage_ids=page)
        for record in instance.fetch_materializations(wanted, len(page)).records:
            yield record.run_id
    if event := instance.get_latest_materialization_event(key):
        yield event.run_id


def _checks(instance: dg.DagsterInstance) -> list[dg.AssetCheckKey]:
    """Return every check that was ever evaluated, also those that are defined no more."""
    query = text("select distinct asset_key, check_name from asset_check_executions")
    # Its types know no SQL, which every storage of the open-source Dagster speaks.
    storage: Any = instance.event_log_storage
    with storage.index_connection() as connection:
        rows = connection.execute(query).fetchall()
    keys = [(dg.AssetKey.from_db_string(key), name) for key, name in rows]
    return [dg.AssetCheckKey(key, name) for key, name in keys if key]


def _evaluating(instance: dg.DagsterInstance, check: dg.AssetCheckKey) -> Iterator[str]:
    """Yield the runs that hold the newest evaluations of a check."""
    seen, cursor = set[tuple[str, str]](), None
    while records := instance.event_log_storage.get_asset_check_execution_history(
        check, _PAGE, cursor
    ):
        for record in records:
            event = record.event and record.event.dagster_event
            data = event and event.event_specific_data
            if not isinstance(data, dg.AssetCheckEvaluation):
                continue
            if not seen.issuperset(about := _about(data)):
                seen |= about
                yield record.run_id
        cursor = records[-1].id


def _about(evaluation: dg.AssetCheckEvaluation) -> set[tuple[str, str]]:
    """Return what an evaluation is about: one month, or a whole run and each of its months."""
    if evaluation.partition:
        return {("month", evaluation.partition)}
    months = evaluation.metadata.get("months")
    named = months.value if months and isinstance(months.value, list) else []
    return {("run", ""), *(("run", str(month)) for month in named)}
