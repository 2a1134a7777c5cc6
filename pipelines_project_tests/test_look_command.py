"""The look before landing shows columns, their origin and rows, and leaves nothing behind."""

from pathlib import Path

import pytest
import yaml

from pipelines_project.look_command import main
from pipelines_project_tests.json_lines import jsonl, write_lines
from pipelines_project_tests.jsonl_location import attributes

# Dagster reads its own project file so.
pytestmark = pytest.mark.filterwarnings("ignore:`parse_obj_as` is deprecated")


@pytest.fixture
def defs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A document of a table, in a folder that is in no project."""
    write_lines(tmp_path / "raw", jsonl(*[{"@Time": "noon", "a": {"b": n}} for n in range(5)]))
    document = {
        "type": "pipelines_project.components.LocalJsonlSource",
        "attributes": attributes(tmp_path / "raw"),
    }
    monkeypatch.setenv("LANDING_URL", str(tmp_path / "landing"))
    path = tmp_path / "shop" / "defs.yaml"
    path.parent.mkdir()
    path.write_text(yaml.safe_dump(document))
    return path


def test_columns_and_rows_are_shown_and_nothing_is_landed(
    defs: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    main([str(defs), "events", "--month", "2024-01", "--limit", "2"])

    shown = capfd.readouterr().out
    cells = {tuple(cell.strip() for cell in line.split("│")[1:-1]) for line in shown.splitlines()}
    assert {("a_time", "text", "/@Time"), ("a__b", "bigint", "/a/b"), ("noon", "0")} <= cells
    assert ("noon", "1") in cells
    assert ("noon", "2") not in cells
    assert "_dlt_id" not in shown
    assert not (defs.parents[1] / "landing").exists()


def test_settings_stand_in_the_file_that_all_commands_read(
    defs: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    document = yaml.safe_load(defs.read_text())
    document["attributes"]["raw_url"] = "{{ env.EVENTS_URL }}"
    defs.write_text(yaml.safe_dump(document))
    monkeypatch.setenv("EVENTS_URL", str(defs.parent / "nothing"))
    monkeypatch.chdir(defs.parent)
    (defs.parent / ".env").write_text(f"EVENTS_URL={defs.parents[1] / 'raw'}\n")

    main([str(defs), "events", "--month", "2024-01", "--limit", "1"])

    assert "noon" in capfd.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nothing"], "names no table 'nothing': there are events"),
        (["events", "--month", "2024-09"], "has no rows in 2024-09"),
    ],
)
def test_what_cannot_be_shown_is_said_in_a_line(
    defs: Path, arguments: list[str], said: str
) -> None:
    with pytest.raises(SystemExit, match=said):
        main([str(defs), *arguments])


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"defs\.yaml is no file"):
        main([str(tmp_path / "defs.yaml"), "events"])


def test_only_a_defs_yaml_is_looked_at_and_nothing_beside_another_file_is_imported(
    tmp_path: Path, defs: Path
) -> None:
    other = tmp_path / "scripts" / "events.yaml"
    other.parent.mkdir()
    other.write_text(defs.read_text())
    (other.parent / "script.py").write_text("raise SystemExit('imported')")

    with pytest.raises(SystemExit, match=r"events\.yaml is not called defs\.yaml"):
        main([str(other), "events"])


def test_a_wrong_attribute_is_named_with_its_place_in_the_file(defs: Path) -> None:
    defs.write_text(defs.read_text().replace("raw_url", "row_url"))

    with pytest.raises(SystemExit, match=rf"row_url at {defs}:\d+"):
        main([str(defs), "events"])


def test_lines_that_would_not_land_and_new_columns_are_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LANDING_URL", str(tmp_path / "landing"))
    (tmp_path / "a.csv").write_text("day,n\n2024-01-01,1\n2024-02-01,x\n2024-02-02,3\nnever,4\n")
    table = {"name": "days", "files": "a.csv", "month_column": "day", "types": {"n": "bigint"}}
    document = {
        "type": "pipelines_project.components.Files",
        "attributes": {
            "source": "shop",
            "raw_url": str(tmp_path),
            "tables": [{**table, "on_bad_row": "quarantine"}],
        },
    }
    defs = tmp_path / "shop" / "defs.yaml"
    defs.parent.mkdir()
    defs.write_text(yaml.safe_dump(document))

    main([str(defs), "days", "--month", "2024-02"])

    shown = capfd.readouterr().out
    assert shown.endswith("2 of 4 lines quarantined; 1 line of other months\n")
