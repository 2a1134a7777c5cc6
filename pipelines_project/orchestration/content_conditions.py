"""Automation conditions on what materializations say of the content of their data.

Dagster's own `data_version_changed()` goes by the data version, of which a run has one for all its
months. So months that a run over several has landed again, or loaded, would all be taken for
changed. Each month's metadata says more: the content of its load, and its id.
"""

from typing import Any

import dagster as dg

from pipelines_project.orchestration.contents import is_same, newest


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
        otherwise = {m for m, held in landed.items() if not is_same(held, loaded.get(m))}
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
        changed = {m for m, held in now.items() if not is_same(held, before.get(m))}
        if months is not None:
            subset = subset.compute_intersection_with_partition_keys(changed)
        elif not changed:
            subset = context.get_empty_subset()
        return dg.AutomationResult(context=context, true_subset=subset)
