"""What Dagster keeps of the runs of assets, as the report takes it."""

from collections.abc import Sequence
from dataclasses import dataclass

import dagster as dg

from pipelines_project.orchestration.check_history import check_history
from pipelines_project.orchestration.run_failures import errors_of_run
from pipelines_project.orchestration.run_tags import months_of_tags
from pipelines_project.report.history import AssetHistory, Failure, History

# The newest ones that are looked at.
_FAILED_RUNS = 200


@dataclass(frozen=True)
class Watched:
    """An asset that the report shows.

    Attributes:
        key: the asset.
        has_months: whether it has partitions.
        checks: its checks.
    """

    key: dg.AssetKey
    has_months: bool
    checks: Sequence[dg.AssetCheckKey]


@dataclass(frozen=True)
class _Failed:
    """A failed run of an asset, and the months that it had; "" where the asset has none."""

    failure: Failure
    months: Sequence[str]


def run_history(instance: dg.DagsterInstance, assets: Sequence[Watched]) -> History:
    """Return what is known of the assets."""
    failed_runs = _failed_runs(instance, assets)
    return {
        asset.key.to_user_string(): _history(instance, asset, failed_runs.get(asset.key, []))
        for asset in assets
    }


def _history(
    instance: dg.DagsterInstance, asset: Watched, failed_runs: Sequence[_Failed]
) -> AssetHistory:
    failed: dict[str, Failure] = {}
    for run in failed_runs:
        made = _made_since(instance, asset, run)
        failed |= {m: run.failure for m in run.months if m not in made and m not in failed}
    made = instance.get_latest_materialization_event(asset.key)
    return AssetHistory(
        failed,
        failed_runs[0].failure if failed_runs else None,
        [*check_history(instance, asset.checks)],
        made.timestamp if made else None,
    )


def _failed_runs(
    instance: dg.DagsterInstance, assets: Sequence[Watched]
) -> dict[dg.AssetKey, list[_Failed]]:
    """Return the failed runs of each asset, the newest first."""
    of_step = {asset.key.to_python_identifier(): asset for asset in assets}
    found: dict[dg.AssetKey, list[_Failed]] = {}
    is_failed = dg.RunsFilter(statuses=[dg.DagsterRunStatus.FAILURE])
    for record in instance.get_run_records(is_failed, limit=_FAILED_RUNS):
        run = record.dagster_run
        at = record.start_time or record.create_timestamp.timestamp()
        errors = errors_of_run(instance, run.run_id)
        if not errors:
            # It was ended from outside, so that no step could say why.
            selected = {key.to_python_identifier() for key in run.asset_selection or ()}
            errors = dict.fromkeys(selected, ("the run was ended", ""))
        for name, error in errors.items():
            if asset := of_step.get(name):
                months = months_of_tags(run.tags) if asset.has_months else [""]
                failed = _Failed(Failure(at, run.run_id, *error), months)
                found.setdefault(asset.key, []).append(failed)
    return found


def _made_since(instance: dg.DagsterInstance, asset: Watched, run: _Failed) -> set[str]:
    """Return which months of a failed run it has materialized itself, or another has since."""
    records = instance.fetch_materializations(
        dg.AssetRecordsFilter(
            asset.key,
            asset_partitions=run.months if asset.has_months else None,
            after_timestamp=run.failure.at,
        ),
        limit=10_000,
    ).records
    return {record.partition_key or "" for record in records}
