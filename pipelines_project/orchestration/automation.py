"""The conditions under which Dagster loads a month or builds a mart by itself."""

import dagster as dg


def follows_any_month() -> dg.AutomationCondition:
    """Return the condition under which a month is loaded: its landing was updated.

    `eager()` alone looks at the latest month only, and a re-run of an old one would stay unloaded.
    """
    eager = dg.AutomationCondition.eager()
    return counting_failed_runs(eager.without(dg.AutomationCondition.in_latest_time_window()))


def follows_any_update() -> dg.AutomationCondition:
    """Return the condition under which a mart is built again: once after any month's update.

    `eager()` would wait until every month that the partitions name has been loaded.
    """
    condition = dg.AutomationCondition
    updated = condition.any_deps_updated().since_last_handled()
    idle = ~condition.any_deps_in_progress() & ~condition.in_progress()
    return counting_failed_runs(updated & idle)


def counting_failed_runs(condition: dg.AutomationCondition) -> dg.AutomationCondition:
    """Return the condition with updates counted that came from a run of upstream and asset alike.

    Dagster leaves them out, because such a run goes on to the asset itself. But a run of which
    one month failed records the good ones, and then skips the asset.
    """
    return condition.replace("newly_updated_without_root", dg.AutomationCondition.newly_updated())
