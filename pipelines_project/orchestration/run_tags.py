"""The months of a run as its tags tell them, which are Dagster's own."""

from collections.abc import Mapping, Sequence

from pipelines_project.months import months_between

_MONTH = "dagster/partition"
_FIRST, _LAST = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"


def months_of_tags(tags: Mapping[str, str]) -> list[str]:
    """Return the months of a run, as its tags tell them."""
    month = tags.get(_FIRST) or tags.get(_MONTH)
    last = tags.get(_LAST) or month
    return months_between(month, last) if month and last else []


def tags_of_months(months: Sequence[str]) -> dict[str, str]:
    """Return the tags of a run of months that follow each other; none of a run without months."""
    if len(months) > 1:
        return {_FIRST: months[0], _LAST: months[-1]}
    return {_MONTH: months[0]} if months else {}
