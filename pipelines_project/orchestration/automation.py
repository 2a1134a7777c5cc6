"""When Dagster loads a month or builds a mart by itself: the conditions, and the sensor."""

import warnings
from typing import Any

import dagster as dg

from pipelines_project.orchestration.content_conditions import HasChanged, IsLandedOtherwise

# When what has failed is tried again.
_HOURLY = "0 * * * *"


def follows_any_month() -> dg.AutomationCondition[Any]:
    """Return the condition under which a month is loaded: other rows are landed than it holds.

    That is looked at when the month was landed, once more each hour while its load fails, and for
    every month when the sensor first looks. A month is asked for once each time. One that is landed
    again while it is being loaded is asked for again if the load has not the new rows.
    """
    condition = dg.AutomationCondition
    looked_at = (
        condition.any_deps_match(condition.newly_updated())
        | condition.initial_evaluation()
        | _failed_an_hour_ago()
    )
    due = looked_at & IsLandedOtherwise()
    # Not `since_last_handled()`: a load that began before a month was landed again does not have
    # the new rows, although it was recorded after that.
    unanswered = due.since(condition.newly_requested() & ~due)
    return unanswered & _is_idle() & IsLandedOtherwise()


def follows_any_change() -> dg.AutomationCondition[Any]:
    """Return the condition under which a mart is built: what it reads has changed.

    `eager()` would wait until every month that the partitions name has been loaded, and take a load
    of the same rows for a change. The marts that a mart reads are built before it, and it only if
    one of them has changed then. A mart that fails is built again each hour.
    """
    condition = dg.AutomationCondition
    changed = condition.any_deps_match(condition.newly_updated() & HasChanged())
    due = changed.since_last_handled() | _failed_an_hour_ago()
    is_first = ~condition.any_deps_match(condition.will_be_requested())
    return due & _is_idle() & is_first


def _failed_an_hour_ago() -> dg.AutomationCondition[Any]:
    condition = dg.AutomationCondition
    return condition.cron_tick_passed(_HOURLY) & condition.execution_failed()


def _is_idle() -> dg.AutomationCondition[Any]:
    condition = dg.AutomationCondition
    return ~condition.any_deps_in_progress() & ~condition.in_progress()


def automation_sensor(source: str) -> dg.AutomationConditionSensorDefinition:
    """Return the sensor that evaluates the conditions of a source's assets; it is on at first."""
    with warnings.catch_warnings():
        # The conditions are classes of this project, which only its own process knows how to
        # evaluate; Dagster calls that parameter beta.
        warnings.simplefilter("ignore", dg.BetaWarning)
        return dg.AutomationConditionSensorDefinition(
            name=f"{source}_automation",
            target=dg.AssetSelection.groups(source),
            default_status=dg.DefaultSensorStatus.RUNNING,
            use_user_code_server=True,
            description=f"Load each month of {source} that is landed with other rows than the "
            "warehouse holds, and build the marts that read what has changed. It asks nothing of "
            "the source.",
        )
