"""What landing a month has cost, by the metadata of past runs."""

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median

import dagster as dg

# The newest ones of a table that are looked at.
_RECORDS = 1000


@dataclass(frozen=True)
class Cost:
    """What landing takes.

    Attributes:
        seconds: how long.
        bytes: the size of the files.
        requests: how many, of an API; 0 of another source.
    """

    seconds: float = 0.0
    bytes: float = 0.0
    requests: float = 0.0

    def __add__(self, other: "Cost") -> "Cost":
        """Return what both take."""
        return Cost(
            self.seconds + other.seconds,
            self.bytes + other.bytes,
            self.requests + other.requests,
        )


def past_costs(instance: dg.DagsterInstance, key: dg.AssetKey) -> dict[str, Cost]:
    """Return what each month cost when it was last landed; one that was kept cost nothing."""
    found: dict[str, Cost] = {}
    records = instance.fetch_materializations(dg.AssetRecordsFilter(key), _RECORDS).records
    for record in records:
        made = record.asset_materialization
        if made and made.partition and "seconds" in made.metadata:
            found.setdefault(made.partition, _cost(made.metadata))
    return found


def typical(costs: Mapping[str, Cost]) -> Cost:
    """Return what a month takes that was never landed: the middle one of those that were."""
    if not costs:
        return Cost()
    return Cost(
        median(cost.seconds for cost in costs.values()),
        median(cost.bytes for cost in costs.values()),
        median(cost.requests for cost in costs.values()),
    )


def _cost(metadata: Mapping[str, dg.MetadataValue]) -> Cost:
    def number(name: str) -> float:
        value = metadata[name].value if name in metadata else 0
        return float(value) if isinstance(value, int | float) else 0.0

    return Cost(number("seconds"), number("bytes"), number("http_requests"))
