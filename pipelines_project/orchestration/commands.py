"""The commands that messages print, to be pasted into a shell as they are."""

import json
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg

from pipelines_project.months import stretches

_MATERIALIZE = "dagster asset materialize -m pipelines_project.definitions"
_RUN_JOB = "python -m pipelines_project.run_job"


def materialize_commands(
    key: dg.AssetKey,
    months: Sequence[str],
    *,
    one_run: bool = True,
    config: Mapping[str, Any] | None = None,
) -> str:
    """Return the commands that materialize months of an asset and what is made of them, marts too.

    Args:
        key: the asset.
        months: in any order; none for an asset that has none.
        one_run: whether one run may take several months; else each has a command of its own.
        config: of the asset, if it is to have one.
    """
    selected = f"{_MATERIALIZE} --select {shlex.quote(f'{selection(key)}+')}"
    ending = (
        f" --config-json {shlex.quote(json.dumps(asset_config(key, config)))}" if config else ""
    )
    found = stretches(months) if one_run else [(month, month) for month in sorted(months)]
    options = [_option(*stretch) for stretch in found] or [""]
    return "\n".join(f"  {selected}{option}{ending}" for option in options)


def job_commands(
    job: str, months: Sequence[str] = (), config: Mapping[str, Any] | None = None
) -> str:
    """Return the commands that run a job now, once a month if it has months."""
    ending = f" --config {shlex.quote(json.dumps(config))}" if config else ""
    found = [_option(first, last, "--partition") for first, last in stretches(months)]
    return "\n".join(f"  {_RUN_JOB} {job}{option}{ending}" for option in found or [""])


def selection(key: dg.AssetKey) -> str:
    """Return the selection of one asset; Dagster's parser takes a slash only inside of quotes."""
    return f'key:"{key.to_user_string()}"'


def asset_config(key: dg.AssetKey, config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the run config of one asset, which is what the launchpad holds as YAML."""
    return {"ops": {key.to_python_identifier(): {"config": dict(config)}}}


def _option(first: str, last: str, of_range: str = "--partition-range") -> str:
    return f" --partition {first}" if first == last else f" {of_range} {first}...{last}"
