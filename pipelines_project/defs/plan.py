"""The job that plans a backfill, which needs to know the tables of all sources."""

from functools import partial

import dagster as dg

from pipelines_project.components.monthly_source import MonthlySource
from pipelines_project.orchestration.plan import Plannable
from pipelines_project.orchestration.plan_job import plan_job


@dg.definitions
def plan(context: dg.ComponentLoadContext) -> dg.Definitions:
    """Return the job."""
    return dg.Definitions(jobs=[plan_job(plannable(context.component_tree))])


def plannable(tree: dg.ComponentTree) -> list[Plannable]:
    """Return the tables of every source."""
    sources = tree.get_all_components(of_type=MonthlySource)
    return [Plannable(t, partial(each.asker, t)) for each in sources for t in each.monthly_tables()]
