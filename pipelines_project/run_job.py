"""A command that runs one job now, in its own process, and prints what the job reported.

`dagster job launch` only puts a run into a queue that a daemon must empty, and `dagster job
execute` takes months that there are not and does not show what the ops report.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import dagster as dg

from pipelines_project import definitions
from pipelines_project.command_line import begin
from pipelines_project.command_run import run
from pipelines_project.orchestration.run_failures import reasons
from pipelines_project.orchestration.run_tags import tags_of_months

_PLAIN = (bool, int, float, str, list, dict)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the job once for each month that is asked for, and return 1 if one of the runs failed."""
    parser = _parser()
    asked = parser.parse_args(arguments)
    begin(parser)
    try:
        wanted = job(asked.job)
        months = _months(wanted, asked.partition)
    except (dg.DagsterInvariantViolationError, ValueError) as error:
        parser.error(str(error))
    config = {node.name: {"config": asked.config} for node in wanted.nodes} if asked.config else {}
    try:
        with dg.DagsterInstance.get() as instance:
            succeeded = [_run(instance, asked.job, month, config) for month in months]
    except dg.DagsterInvalidConfigError as error:
        parser.error(str(error))
    return 0 if all(succeeded) else 1


def job(name: str) -> dg.JobDefinition:
    """Return the job of that name."""
    return definitions.defs().resolve_job_def(name)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m pipelines_project.run_job", description=__doc__)
    parser.add_argument("job", help="the job, for example chess_restore_month")
    parser.add_argument(
        "--partition",
        metavar="MONTH",
        help="the month of the run, 2023-01, or months as 2023-01...2023-03, each in a run",
    )
    parser.add_argument(
        "--config", type=_config, help="the config of the job's ops as JSON; each op gets all of it"
    )
    return parser


def _config(text: str) -> dict[str, Any]:
    try:
        config = json.loads(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not JSON: {error}") from error
    if not isinstance(config, dict):
        raise argparse.ArgumentTypeError(f"{text!r} is no JSON object")
    return config


def _months(wanted: dg.JobDefinition, asked: str | None) -> list[str | None]:
    """Return the months to run, `None` for a job that has none.

    Raises:
        ValueError: the job has months and none is asked for, or has not the one that is.
    """
    partitions = wanted.partitions_def
    if partitions is None:
        if asked:
            raise ValueError(f"{wanted.name} has no months: leave --partition out")
        return [None]
    if not asked:
        raise ValueError(f"{wanted.name} needs a month: --partition 2023-01")
    known = partitions.get_partition_keys()
    first, _, last = asked.partition("...")
    for month in (first, last or first):
        if month not in known:
            raise ValueError(f"{month!r} is no month of {wanted.name}: {known[0]} to {known[-1]}")
    months = known[known.index(first) : known.index(last or first) + 1]
    if not months:
        raise ValueError(f"{first} is later than {last}")
    return [*months]


def _run(
    instance: dg.DagsterInstance, name: str, month: str | None, config: Mapping[str, Any]
) -> bool:
    """Run the job and print what came of it; return whether it succeeded."""
    # What the log would say of a failure is printed here once, and kept by the instance.
    loggers = {"console": {"config": {"log_level": "CRITICAL"}}}
    with run(
        instance,
        dg.build_reconstructable_job(__name__, "job", (name,)),
        {"ops": config, "loggers": loggers},
        tags_of_months([month] if month else []),
    ) as result:
        done = "succeeded" if result.success else "failed"
        print(f"{' '.join(filter(None, [name, month]))}: {done} (run {result.run_id})")
        for text in _reported(result):
            print(text, flush=True)
        return result.success


def _reported(result: dg.JobExecutionResult) -> Iterator[str]:
    """Yield the metadata of each op's output, and why ops failed."""
    for event in result.all_events:
        if event.is_successful_output:
            metadata = event.step_output_data.metadata
            texts = [v for v in metadata.values() if isinstance(v, dg.MarkdownMetadataValue)]
            metadata = {n: v for n, v in metadata.items() if v not in texts}
            plain = {name: value.value for name, value in metadata.items()}
            # Tables, such as that of the columns, are for the UI.
            said = {n: v for n, v in plain.items() if v is None or isinstance(v, _PLAIN)}
            yield json.dumps({event.step_key: said}, indent=2, default=str, ensure_ascii=False)
            yield from (text.value for text in texts if text.value)
    yield from reasons(result)


if __name__ == "__main__":
    sys.exit(main())
