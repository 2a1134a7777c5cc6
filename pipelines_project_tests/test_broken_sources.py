"""One source that does not load leaves the others as they are, and is shown with its error."""

import shutil
from pathlib import Path

import dagster as dg
import pytest

from pipelines_project import definitions
from pipelines_project.broken_sources import without_broken_sources
from pipelines_project_tests.kept import empty_instance

pytestmark = pytest.mark.stack

DEFS = Path(definitions.__file__).parent / "defs"
CHESS = {
    "landing/chess/games",
    "warehouse/chess/games",
    "marts/chess/openings",
    "marts/chess/player_months",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two of the sources, and what all share."""
    copied = tmp_path / "defs"
    shutil.copytree(DEFS, copied, ignore=shutil.ignore_patterns("freshdesk", "__pycache__"))
    return copied


def _names(defs: dg.Definitions) -> set[str]:
    return {key.to_user_string() for key in defs.resolve_asset_graph().get_all_asset_keys()}


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ("type: [", "defs.yaml"),
        ("type: pipelines_project.components.NoSuchSource\nattributes: {}\n", "NoSuchSource"),
        ("type: pipelines_project.components.LocalJsonlSource\nattributes: {nam: a}\n", "nam"),
    ],
)
def test_the_other_sources_go_on(
    folder: Path, broken: str, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    (folder / "local_jsonl" / "defs.yaml").write_text(broken)

    defs = without_broken_sources(folder)

    shown = dg.AssetKey(["broken_definitions", "local_jsonl"])
    assert _names(defs) == CHESS | {"report", shown.to_user_string()}
    description = defs.resolve_asset_graph().get(shown).description
    assert description is not None
    assert said in description
    assert "chosen_folders" not in description
    assert "local_jsonl does not load, and the other sources go on without it" in caplog.text
    names = {schedule.name for schedule in defs.get_repository_def().schedule_defs}
    assert names == {"chess_materialize_schedule", "clean_history_schedule"}


def test_the_check_of_a_broken_source_fails_with_its_error(folder: Path) -> None:
    (folder / "chess" / "marts" / "openings.sql").write_text("select * from nowhere.games")

    defs = without_broken_sources(folder)

    assert "landing/local_jsonl/synthetic_data" in _names(defs)
    job = defs.resolve_implicit_global_asset_job_def()
    key = dg.AssetCheckKey(dg.AssetKey(["broken_definitions", "chess"]), "definitions_load")
    with empty_instance() as instance:
        job = dg.define_asset_job("checks", dg.AssetSelection.checks(key))
        checked = dg.Definitions.merge(defs, dg.Definitions(jobs=[job]))
        result = checked.resolve_job_def("checks").execute_in_process(instance=instance)
    [evaluation] = result.get_asset_check_evaluations()
    assert not evaluation.passed
    assert "openings.sql" in str(evaluation.metadata["error"].value)


def test_a_broken_source_is_an_error_where_definitions_are_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHESS_PLAYERS", "no player")
    assert "broken_definitions/chess" in _names(definitions.load())

    monkeypatch.setenv("STRICT_DEFINITIONS", "1")
    with pytest.raises(Exception, match=r"defs\.yaml"):
        definitions.load()
