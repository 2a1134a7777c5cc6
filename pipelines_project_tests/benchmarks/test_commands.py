"""The project's command is put together as Dagster takes it."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import dagster as dg
import pytest
from dagster._cli.asset import asset_materialize_command

from benchmarks import commands, measure
from benchmarks.case import Figures
from benchmarks.cases.chess import KEYS
from pipelines_project import definitions


@pytest.mark.stack
def test_the_materialized_assets_and_months_are_those_of_the_case(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run: list[tuple[Sequence[str], Path, Mapping[str, str]]] = []

    def command(arguments: Sequence[str], folder: Path, environment: Mapping[str, str]) -> Figures:
        run.append((arguments, folder, environment))
        return {}

    monkeypatch.setattr(measure, "command", command)
    monkeypatch.setenv("DAGSTER_HOME", "/history")
    commands.materialize(KEYS, commands.first_months(13), {"CHESS_PLAYERS": "hikaru"})

    [((_, *arguments), folder, environment)] = run
    assert arguments[:4] == ["-m", "dagster", "asset", "materialize"]
    parsed = asset_materialize_command.make_context("materialize", [*arguments[4:]]).params
    assert parsed["partition_range"] == "2014-01...2015-01"
    selection = dg.AssetSelection.from_string(parsed["select"])
    selected = selection.resolve(definitions.load().resolve_asset_graph())
    assert selected == {dg.AssetKey.from_user_string(key) for key in KEYS}
    assert (folder / "workspace.yaml").exists()
    assert environment["PATH"] == os.environ["PATH"]
    assert environment["CHESS_PLAYERS"] == "hikaru"
    assert "DAGSTER_HOME" not in environment
