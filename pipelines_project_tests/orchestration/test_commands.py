"""A command that a message prints says what it means, and is taken as it is printed."""

import json
import shlex

import dagster as dg

from pipelines_project.orchestration.commands import job_commands, materialize_commands

KEY = dg.AssetKey(["landing", "demo", "events"])
_COMMAND = "dagster asset materialize -m pipelines_project.definitions --select"
_SELECTED = f"""{_COMMAND} 'key:"landing/demo/events"+'"""


def test_there_is_one_command_for_each_unbroken_stretch() -> None:
    months = ["2023-02", "2022-12", "2023-01", "2023-04"]

    assert materialize_commands(KEY, months).splitlines() == [
        f"  {_SELECTED} --partition-range 2022-12...2023-02",
        f"  {_SELECTED} --partition 2023-04",
    ]
    assert materialize_commands(KEY, months[:2], one_run=False).splitlines() == [
        f"  {_SELECTED} --partition 2022-12",
        f"  {_SELECTED} --partition 2023-02",
    ]
    assert materialize_commands(KEY, []) == f"  {_SELECTED}"


def test_config_is_that_of_the_asset() -> None:
    command = materialize_commands(KEY, ["2023-01"], config={"allow_shrink": True})

    config = json.loads(shlex.split(command)[-1])
    assert config == {"ops": {"landing__demo__events": {"config": {"allow_shrink": True}}}}


def test_a_selection_is_what_dagster_takes() -> None:
    arguments = shlex.split(materialize_commands(KEY, ["2023-01"]))

    selected = dg.AssetSelection.from_string(arguments[arguments.index("--select") + 1])

    read, other = (
        dg.AssetKey(["warehouse", "demo", "events"]),
        dg.AssetKey(["landing", "demo", "x"]),
    )
    assets = [dg.AssetSpec(KEY), dg.AssetSpec(read, deps=[KEY]), dg.AssetSpec(other)]
    assert selected.resolve([dg.AssetsDefinition(specs=[each]) for each in assets]) == {KEY, read}


def test_a_job_has_a_command_for_each_unbroken_stretch_or_one_without_months() -> None:
    assert job_commands("demo_restore_month", ["2023-01", "2023-02", "2023-04"]).splitlines() == [
        "  python -m pipelines_project.run_job demo_restore_month --partition 2023-01...2023-02",
        "  python -m pipelines_project.run_job demo_restore_month --partition 2023-04",
    ]
    (command,) = job_commands("demo_forget", config={"dry_run": False}).splitlines()
    assert shlex.split(command)[-2:] == ["--config", '{"dry_run": false}']
