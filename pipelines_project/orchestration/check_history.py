"""What Dagster keeps of checks, as the report takes it."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import dagster as dg

from pipelines_project.report.history import Check

# The newest ones of a check that are looked at.
_EVALUATIONS = 500


def check_history(
    instance: dg.DagsterInstance, checks: Iterable[dg.AssetCheckKey]
) -> Iterator[Check]:
    """Yield what became of each of the checks that was ever evaluated."""
    for key in checks:
        history = instance.event_log_storage.get_asset_check_execution_history(key, _EVALUATIONS)
        found = [each for each in map(_evaluation, history) if each]
        if found:
            holds = _holds(found)
            wrong = sorted(month for month, passed in holds.items() if month and not passed)
            yield Check(key.name, all(holds.values()), history[0].create_timestamp, wrong)


def _evaluation(record: Any) -> dg.AssetCheckEvaluation | None:
    """Return the evaluation of a whole run that a record has.

    That of one month says less, and one that was planned may not have come.
    """
    data = record.event and record.event.dagster_event.event_specific_data
    return data if isinstance(data, dg.AssetCheckEvaluation) and not data.partition else None


def _holds(evaluations: Sequence[dg.AssetCheckEvaluation]) -> dict[str, bool]:
    """Return of each month whether the newest evaluation of it has passed; "" for all months.

    Args:
        evaluations: of whole runs, the newest first. Each says which months it was about, and where
            the truth does not hold; if it says no months, it was about the whole table.
    """
    found: dict[str, bool] = {}
    for evaluation in evaluations:
        said = {name: value.value for name, value in evaluation.metadata.items()}
        months, wrong = said.get("months"), said.get("wrong")
        if not isinstance(months, list) or not isinstance(wrong, dict):
            return {**found, "": evaluation.passed}
        # What is wrong need not be about a month.
        found.setdefault("", evaluation.passed or not wrong.keys().isdisjoint(months))
        for month in months:
            found.setdefault(str(month), month not in wrong)
    return found
