"""The command `python -m pipelines_project materialize`: make months now, and follow them.

Dagster's own command says as much of each of its steps as of a month, shows a stack trace where a
month makes no sense, and takes none for assets that have no months. This one prints a line a month,
a table at the end and why what failed did; a terminal shows a bar too.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence

import dagster as dg

# The job of all assets can be executed with its own executor by no public name; dagster issue 19254
# asks how jobs of assets are.
from dagster._core.definitions.reconstruct import ReconstructableRepository

from pipelines_project import definitions
from pipelines_project.command_line import begin, months
from pipelines_project.command_run import run
from pipelines_project.orchestration.run_failures import reasons
from pipelines_project.orchestration.run_lines import FOLLOWED, followed
from pipelines_project.orchestration.runs_by_months import (
    closing_rows,
    failed_checks,
    parts,
    tags_of_runs,
)
from pipelines_project.orchestration.selection import selected_keys
from pipelines_project.text_table import text_table

_DEFINED = ReconstructableRepository.for_module(definitions.__name__, "defs")
_EVERY_ASSET = "__ASSET_JOB"
_HEADER = ("asset", "made", "nothing to land", "not made", "rows", "seconds")


def main(arguments: Sequence[str] | None = None) -> int:
    """Make what is asked for, and return 1 if a part of it could not be made."""
    parser = _parser()
    asked = parser.parse_args(arguments)
    begin(parser)
    repository = definitions.defs().get_repository_def()
    try:
        keys = selected_keys(asked.select, repository)
        runs = tags_of_runs(repository, keys, asked.months)
    except ValueError as error:
        parser.error(str(error))
    wanted = parts(repository, keys, asked.months)
    with dg.DagsterInstance.get() as instance:
        with followed(keys, asked.months or (), sum(map(len, wanted.values()))):
            ended = [_run(instance, [*wanted], tags) for tags in runs]
        entries = [entry for run_id, _ in ended for entry in instance.all_logs(run_id)]
    print(f"\n{text_table(_HEADER, closing_rows(wanted, entries))}\n")
    print("".join(f"{each}\n" for each in failed_checks(entries)), end="")
    for run_id, why_failed in ended:
        print(f"run {run_id}: {'failed' if why_failed else 'succeeded'}")
        print("".join(f"\n{each}\n" for each in why_failed), end="")
    return 1 if any(why_failed for _, why_failed in ended) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m pipelines_project materialize",
        description="Materialize months of assets now, in this process; exit with 1 if one fails.",
    )
    parser.add_argument("--select", required=True, help="the assets, such as group:chess")
    parser.add_argument(
        "--months", type=months, help="2024-01, or 2019-01...2024-12; none for assets without"
    )
    return parser


def _run(
    instance: dg.DagsterInstance, keys: Sequence[dg.AssetKey], tags: Mapping[str, str]
) -> tuple[str, list[str]]:
    """Run some months of the assets; return the run's id, and why it failed if it did."""
    # The job of all assets, as Dagster's own command runs it, so that the UI can run it again.
    job = _DEFINED.get_reconstructable_job(_EVERY_ASSET)
    with run(instance, job, {"loggers": {FOLLOWED: {}}}, tags, keys) as result:
        why_failed = [*reasons(result)]
        return result.run_id, why_failed if result.success else why_failed or ["it was ended"]


if __name__ == "__main__":
    sys.exit(main())
