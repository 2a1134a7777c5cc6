"""Two assets by month that do nothing, in one process: what Dagster takes by itself."""

import os

import dagster as dg

_MONTHS = dg.MonthlyPartitionsDefinition(os.environ["START_MONTH"], fmt="%Y-%m")
_ONE_RUN = dg.BackfillPolicy.single_run()


@dg.asset(partitions_def=_MONTHS, backfill_policy=_ONE_RUN)
def landed() -> None:
    """Nothing, for each month."""


@dg.asset(deps=[landed], partitions_def=_MONTHS, backfill_policy=_ONE_RUN)
def loaded() -> None:
    """Nothing, for each month."""


defs = dg.Definitions([landed, loaded], executor=dg.in_process_executor)
