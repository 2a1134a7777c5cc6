"""The step that evaluates all checks of an asset: a step takes longer than most checks do."""

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import ExitStack
from functools import cache, partial
from itertools import groupby

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
    alone = [[check] for check in checks if check.additional_deps]
    others = sorted((check for check in checks if not check.additional_deps), key=_asset)
    return [
        _in_one_step(each) for each in [*alone, *(list(of) for _, of in groupby(others, _asset))]
    ]


def _asset(check: MonthlyCheck) -> dg.AssetKey:
    return check.asset


def _in_one_step(checks: Sequence[MonthlyCheck]) -> dg.AssetChecksDefinition:
    name = checks[0].name if checks[0].additional_deps else "checks"

    @dg.multi_asset_check(
        name=f"{checks[0].asset.to_python_identifier()}_{name}",
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
                {
                    check.spec.key: partial(check.evaluate, context, landing, connect)
                    for check in checks
                },
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
