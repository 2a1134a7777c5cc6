"""One message in place of many, for when much fails at once."""

from collections.abc import Sequence

from pipelines_project.alerts.alert import Alert, Matter
from pipelines_project.months import in_words, named_months


def digest(alerts: Sequence[Alert], link: str) -> Alert:
    """Return what the alerts say as one: each thing once, with all its months and its last reason.

    Args:
        alerts: one a run, the oldest first.
        link: where all of them are found.
    """
    if len(alerts) == 1:
        return alerts[0]
    matters: dict[str, list[Matter]] = {}
    for alert in alerts:
        for matter in alert.matters:
            matters.setdefault(matter.what, []).append(matter)
    return Alert(f"{len(alerts)} runs with failures", [*map(_as_one, matters.values())], link)


def _as_one(told: Sequence[Matter]) -> Matter:
    newest = told[-1]
    if len(told) == 1:
        return newest
    reason = f"{len(told)} times, the last time:\n{newest.reason}"
    return Matter(newest.what, reason, _all_months([each.months for each in told]))


def _all_months(texts: Sequence[str]) -> str:
    spans = [span for text in texts for span in text.split(", ") if span]
    found = {month for span in spans for month in named_months(span)}
    return in_words(found)
