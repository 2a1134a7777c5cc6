"""The alert about a run: the assets that failed, and the checks that failed in it."""

from collections.abc import Iterator, Mapping

import dagster as dg

from pipelines_project.alerts.alert import Alert, Matter
from pipelines_project.months import in_words
from pipelines_project.orchestration.run_failures import errors_of_run
from pipelines_project.orchestration.run_tags import months_of_tags

_WILL_RETRY = "dagster/will_retry"
_NO_TEXT = "its text is in the run"


def run_alert(
    instance: dg.DagsterInstance,
    run: dg.DagsterRun,
    checks_before: Mapping[str, str],
    *,
    base_url: str,
) -> tuple[Alert | None, dict[str, str]]:
    """Return what there is to say of a run that has ended, and the checks that fail now.

    A run that Dagster starts again by itself is not told: the last one of them is.

    Args:
        instance: keeps its events.
        run: the run.
        checks_before: for each check that is known to fail, where; such a check is not told again.
        base_url: where the UI is.
    """
    is_failed = run.status is dg.DagsterRunStatus.FAILURE
    checks, failing = _checks(instance, run.run_id, checks_before)
    if is_failed and run.tags.get(_WILL_RETRY) == "true":
        return None, {**checks_before}
    matters = [*(_failures(instance, run) if is_failed else ()), *checks]
    if not matters:
        return None, failing
    said = list(dict.fromkeys(" ".join(filter(None, [m.what, m.months])) for m in matters))
    verb = "failed" if is_failed else "does not hold" if len(said) == 1 else "do not hold"
    more = f" and {len(said) - 3} more" if len(said) > 3 else ""
    link = f"{base_url}/runs/{run.run_id}"
    return Alert(f"{', '.join(said[:3])}{more} {verb}", matters, link), failing


def _failures(instance: dg.DagsterInstance, run: dg.DagsterRun) -> Iterator[Matter]:
    """Yield each asset or op that failed in a run, with the months that it has not made."""
    months = months_of_tags(run.tags)
    names = {key.to_python_identifier(): key for key in _assets(instance, run)}
    errors = errors_of_run(instance, run.run_id)
    made = _made(instance, run.run_id) if errors else set[tuple[dg.AssetKey, str | None]]()
    for name, (kind, text) in errors.items():
        key = names.get(name)
        failed = [month for month in months if not key or (key, month) not in made]
        what = key.to_user_string() if key else f"{run.job_name} {name}"
        yield Matter(what, text or f"{kind}: {_NO_TEXT}", in_words(failed))
    if not errors:
        # It was ended from outside, or never began, so that no step could say why.
        keys = ", ".join(sorted(key.to_user_string() for key in names.values()))
        yield Matter(keys or run.job_name, _why_ended(instance, run), in_words(months))


def _assets(instance: dg.DagsterInstance, run: dg.DagsterRun) -> set[dg.AssetKey]:
    """Return the assets that a run was to materialize; one of a whole job does not name them."""
    planned = instance.get_records_for_run(
        run.run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED
    ).records
    events = [record.event_log_entry.dagster_event for record in planned]
    keys = {event.asset_key for event in events if event and event.asset_key}
    return {*keys, *(run.asset_selection or ())}


def _made(instance: dg.DagsterInstance, run_id: str) -> set[tuple[dg.AssetKey, str | None]]:
    """Return what a run has materialized: assets, each with a month."""
    records = instance.get_records_for_run(
        run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION
    ).records
    made = [record.asset_materialization for record in records]
    return {(each.asset_key, each.partition) for each in made if each}


def _why_ended(instance: dg.DagsterInstance, run: dg.DagsterRun) -> str:
    records = instance.get_records_for_run(
        run.run_id, of_type=dg.DagsterEventType.RUN_FAILURE
    ).records
    events = [record.event_log_entry.dagster_event for record in records]
    return next((event.message for event in events if event and event.message), "it was ended")


def _checks(
    instance: dg.DagsterInstance, run_id: str, before: Mapping[str, str]
) -> tuple[list[Matter], dict[str, str]]:
    """Return the checks that have begun to fail in a run, and all that are known to fail."""
    matters, failing = list[Matter](), {**before}
    records = instance.get_records_for_run(
        run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION
    ).records
    for record in records:
        event = record.event_log_entry.dagster_event
        found = event and event.asset_check_evaluation_data
        # That of one month says less than the one of the whole run, and a warning is no failure.
        if not found or found.partition or found.severity is not dg.AssetCheckSeverity.ERROR:
            continue
        name = f"{found.asset_key.to_user_string()} {found.check_name}"
        if found.passed:
            failing.pop(name, None)
            continue
        wrong = found.metadata.get("wrong")
        where = wrong.value if wrong and isinstance(wrong.value, dict) else {}
        seen = ", ".join(sorted(map(str, where)))
        if failing.get(name) != seen:
            matters.append(Matter(name, _told(where) or (found.description or "")))
        failing[name] = seen
    return matters, failing


def _told(where: Mapping[str, object]) -> str:
    return "\n".join(f"{each}: {text}" for each, text in where.items())
