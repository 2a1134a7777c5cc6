"""Automation conditions on what materializations say of the content of their data.

Dagster's own `data_version_changed()` goes by the data version, of which a run has one for all its
months. So months that a run over several has landed again, or loaded, would all be taken for
changed. Each month's metadata says more: the content of its load, and its id.
"""

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

import dagster as dg


class Held(NamedTuple):
    """What a materialization says that it holds.

    Attributes:
        content: the same for the same rows, if it is known.
        load_id: the load; None of a mart.
    """

    content: str | None
    load_id: str | None


class IsLandedOtherwise(dg.AutomationCondition[Any]):
    """Whether a month is landed with another content than the warehouse holds, or not loaded."""

    @property
    def description(self) -> str:
        """What Dagster shows of the condition."""
        return "Landed with another content than the warehouse holds"

    @property
    def name(self) -> str:
        """What Dagster calls the condition."""
        return "is_landed_otherwise"

    def evaluate(self, context: dg.AutomationContext[Any]) -> dg.AutomationResult[Any]:
        """Return the months of which it is true."""
        months = context.candidate_subset.expensively_compute_partition_keys()
        instance = context.asset_graph_view.instance
        [landing] = context.asset_graph.get(context.key).parent_keys
        landed, loaded = newest(instance, landing, months), newest(instance, context.key, months)
        otherwise = {m for m, held in landed.items() if not _is_same(held, loaded.get(m))}
        subset = context.candidate_subset.compute_intersection_with_partition_keys(otherwise)
        return dg.AutomationResult(context=context, true_subset=subset)


class HasChanged(dg.AutomationCondition[Any]):
    """Whether what was materialized since the last tick has another content than before."""

    @property
    def description(self) -> str:
        """What Dagster shows of the condition."""
        return "Materialized with another content than before"

    @property
    def name(self) -> str:
        """What Dagster calls the condition."""
        return "has_changed"

    def evaluate(self, context: dg.AutomationContext[Any]) -> dg.AutomationResult[Any]:
        """Return the months of which it is true, or the asset if it has none."""
        subset, tick = context.candidate_subset, context.previous_max_storage_id
        if subset.is_empty:
            return dg.AutomationResult(context=context, true_subset=context.get_empty_subset())
        instance = context.asset_graph_view.instance
        months = subset.expensively_compute_partition_keys() if subset.is_partitioned else None
        now = newest(instance, context.key, months)
        # At the last tick there may have been no event at all yet.
        before = newest(instance, context.key, months, before_storage_id=(tick or 0) + 1)
        changed = {m for m, held in now.items() if not _is_same(held, before.get(m))}
        if months is not None:
            subset = subset.compute_intersection_with_partition_keys(changed)
        elif not changed:
            subset = context.get_empty_subset()
        return dg.AutomationResult(context=context, true_subset=subset)


def newest(
    instance: dg.DagsterInstance,
    key: dg.AssetKey,
    months: Collection[str] | None,
    before_storage_id: int | None = None,
) -> Mapping[str, Held]:
    """Return what the newest materialization of each month says that it holds.

    Args:
        instance: keeps them.
        key: the asset.
        months: those that are asked for; None of an asset without months, whose month is "".
        before_storage_id: leave out those from this one on.
    """
    found: dict[str, Held] = {}
    missing = {""} if months is None else {*months}
    while missing:
        records = instance.fetch_materializations(
            dg.AssetRecordsFilter(
                key,
                asset_partitions=None if months is None else sorted(missing),
                before_storage_id=before_storage_id,
            ),
            # Often each month has the one record that is read; if not, the rest is asked for again.
            limit=min(len(missing), 1000),
        ).records
        for record in records:
            if materialization := record.asset_materialization:
                found.setdefault(materialization.partition or "", _held(materialization))
        missing = missing - found.keys() if records else set()
    return found


def _held(materialization: dg.AssetMaterialization) -> Held:
    def text(name: str) -> str | None:
        value = materialization.metadata.get(name)
        return str(value.value) if value else None

    # A load that a newer one has superseded was removed again.
    superseded_by = text("superseded_by")
    return Held(None if superseded_by else text("content"), superseded_by or text("load_id"))


def _is_same(one: Held, other: Held | None) -> bool:
    """Tell whether both hold the same, as far as can be told."""
    if other is None:
        return False
    if one.content and other.content:
        return one.content == other.content
    return bool(one.load_id) and one.load_id == other.load_id
