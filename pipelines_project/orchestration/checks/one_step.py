"""The step that evaluates all checks of an asset: a step takes longer than most checks do."""

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import ExitStack
from functools import cache, partial

import dagster as dg

from pipelines_project.landing.zone import LandingZone
from pipelines_project.orchestration.checks.monthly_check import MonthlyCheck
from pipelines_project.warehouse.database import Warehouse

Results = Generator[dg.AssetCheckResult]


def monthly_checks(checks: Sequence[MonthlyCheck]) -> list[dg.AssetChecksDefinition]:
    """Return the checks as Dagster takes them: those of an asset are one step.

    One that reads other assets is a step of its own, for Dagster skips a step where one of its
    assets has failed.
    """
    steps = dict[str, list[MonthlyCheck]]()
    for check in checks:
        steps.setdefault(_step(check), []).append(check)
    return [_in_one_step(name, together) for name, together in steps.items()]


def _step(check: MonthlyCheck) -> str:
    """Return the name of the step that evaluates the check."""
    name = check.name if check.additional_deps else "checks"
    return f"{check.asset.to_python_identifier()}_{name}"


def _in_one_step(name: str, checks: Sequence[MonthlyCheck]) -> dg.AssetChecksDefinition:
    @dg.multi_asset_check(
        name=name,
        specs=[check.spec for check in checks],
        can_subset=True,
    )
    def evaluate(
        context: dg.AssetCheckExecutionContext,
        landing: dg.ResourceParam[LandingZone],
        warehouse: dg.ResourceParam[Warehouse],
    ) -> Results:
        with ExitStack() as opened:
            connect = cache(lambda: opened.enter_context(warehouse.connect()))
            yield from evaluate_selected(
                context,
                {check.key: partial(check.evaluate, context, landing, connect) for check in checks},
            )

    return evaluate


def evaluate_selected(
    context: dg.AssetCheckExecutionContext,
    checks: Mapping[dg.AssetCheckKey, Callable[[], dg.AssetCheckResult]],
) -> Results:
    """Yield the result of each check that is to be evaluated, whichever of the others fails.

    Raises:
        Exception: the first error of a check; those of others are in the log.
    """
    errors = list[Exception]()
    for key, evaluate in checks.items():
        if key not in context.selected_asset_check_keys:
            continue
        try:
            yield evaluate()
        except Exception as error:
            context.log.error(f"{key.to_user_string()}: {error}")
            errors.append(error)
    if errors:
        raise errors[0]
