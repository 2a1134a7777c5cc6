"""The conditions under which Dagster loads a month or builds a mart by itself."""

import dagster as dg


def follows_any_month() -> dg.AutomationCondition:
    """Return the condition under which a month is loaded: its landing was updated.

    `eager()` alone looks at the latest month only, and a re-run of an old one would stay unloaded.
    """
    eager = dg.AutomationCondition.eager()
    return counting_failed_runs(eager.without(dg.AutomationCondition.in_latest_time_window()))


def follows_any_change() -> dg.AutomationCondition:
    """Return the condition under which a mart is built: a month was loaded, or a mart has changed.

    `eager()` would wait until every month that the partitions name has been loaded. A mart that was
    built again to the same content has the same data version, and is no change. The marts that a
    mart reads are built before it, and it only if one of them has changed then.
    """
    condition, marts = dg.AutomationCondition, dg.AssetSelection.key_prefixes("marts")
    # The months that a failed run has loaded are recorded without a data version.
    loaded = condition.any_deps_match(condition.newly_updated()).ignore(marts)
    changed = condition.any_deps_match(condition.data_version_changed()).allow(marts)
    idle = ~condition.any_deps_in_progress() & ~condition.in_progress()
    is_first = ~condition.any_deps_match(condition.will_be_requested())
    return (loaded | changed).since_last_handled() & idle & is_first


def counting_failed_runs(condition: dg.AutomationCondition) -> dg.AutomationCondition:
    """Return the condition with updates counted that came from a run of upstream and asset alike.

    Dagster leaves them out, because such a run goes on to the asset itself. But a run of which
    one month failed records the good ones, and then skips the asset.
    """
    return condition.replace("newly_updated_without_root", dg.AutomationCondition.newly_updated())
