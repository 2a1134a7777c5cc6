"""The command that runs a job now: what it prints, leaves in the history, and refuses."""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from pipelines_project import definitions, run_job
from pipelines_project_tests.code_location import LANDING, WAREHOUSE, CodeLocation

pytestmark = pytest.mark.stack

PROJECT = Path(__file__).parents[1]
# Without the page that brings a source of its own, which `examples/test_python_source.py` follows.
DOCUMENTS = [
    PROJECT / "README.md",
    *sorted(each for each in (PROJECT / "docs").glob("*.md") if each.stem != "add_a_source"),
]
MONTH = "2023-01"


@pytest.fixture
def location(chess: CodeLocation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CodeLocation:
    """A code location that the command finds, with a history of its own."""
    history = tmp_path / "dagster"
    history.mkdir()
    monkeypatch.setenv("DAGSTER_HOME", str(history))
    monkeypatch.setattr(definitions, "defs", lambda: chess.defs)
    return chess


def _runs() -> list[dg.RunRecord]:
    with dg.DagsterInstance.get() as instance:
        return [*instance.get_run_records()]


def _reports(printed: str) -> list[dict[str, dict[str, dict[str, object]]]]:
    return [json.loads(found) for found in re.findall(r"^\{$.*?^\}$", printed, re.M | re.S)]


def test_a_job_runs_at_once_and_what_its_ops_reported_is_printed(
    location: CodeLocation, capsys: pytest.CaptureFixture[str]
) -> None:
    place = location.landing.month("chess", "games", MONTH)
    location.materialize(MONTH, LANDING)
    (old,) = place.listing().committed
    location.materialize(MONTH, LANDING, keep_loads=1)
    config = json.dumps({"table": "games", "load_id": old})

    assert run_job.main(["chess_restore_month", "--partition", MONTH, "--config", config]) == 0

    printed = capsys.readouterr().out
    assert printed.startswith(f"chess_restore_month {MONTH}: succeeded (run ")
    (report,) = _reports(printed)
    assert report["chess_restore_month_of_table"]["restored_from"] == old
    assert f"""--select 'key:"{WAREHOUSE}"+' --partition {MONTH}\n""" in printed
    with dg.DagsterInstance.get() as instance:
        key = dg.AssetKey.from_user_string(LANDING)
        assert instance.get_materialized_partitions(key) == {MONTH}


def test_the_run_is_one_of_the_code_location_which_no_daemon_runs_again(
    location: CodeLocation,
) -> None:
    run_job.main(["clean_history"])

    # What the UI's timeline and the pages of jobs ask by.
    own = {".dagster/repository": "__repository__@pipelines_project.definitions"}
    with dg.DagsterInstance.get() as instance:
        [run] = instance.get_runs(dg.RunsFilter(tags=own))
    assert run.tags["dagster/max_retries"] == "0"


def test_settings_come_from_the_file_beside_which_it_is_started(
    location: CodeLocation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LANDING_URL", "set before")
    (tmp_path / ".env").write_text("LANDING_URL=from the file\n")

    assert run_job.main(["chess_delete_stale_files", "--partition", MONTH]) == 0

    assert os.environ["LANDING_URL"] == "from the file"


def test_a_job_that_fails_says_why_and_the_command_exits_with_1(
    location: CodeLocation, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["chess_restore_month", "--partition", MONTH, "--config", '{"table": "games"}']

    assert run_job.main(arguments) == 1

    printed = capsys.readouterr().out
    assert re.fullmatch(
        rf"chess_restore_month {MONTH}: failed \(run \S+\)\n"
        rf"chess/games {MONTH}: set load_id. Kept are:\n- none\nNothing was changed. [^\n]+:\n"
        rf" +dagster asset materialize [^\n]+ --partition {MONTH}\n",
        printed,
    )
    assert [run.dagster_run.status for run in _runs()] == [dg.DagsterRunStatus.FAILURE]


@pytest.mark.long
def test_each_month_of_a_range_is_a_run_and_one_that_fails_does_not_stop_the_others(
    location: CodeLocation,
) -> None:
    location.materialize("2023-01...2023-03", LANDING)
    (load_id,) = location.landing.month("chess", "games", "2023-02").listing().committed
    location.materialize("2023-02", LANDING, keep_loads=1)
    config = json.dumps({"table": "games", "load_id": load_id})

    arguments = ["--partition", "2023-01...2023-03", "--config", config]
    done = subprocess.run(
        [sys.executable, "-m", "pipelines_project.run_job", "chess_restore_month", *arguments],
        env={**os.environ, "LANDING_URL": location.landing.url, "CHESS_START_MONTH": "2021-01"},
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    outcomes = re.findall(r"^chess_restore_month (\S+): (\w+)", done.stdout, re.M)
    assert outcomes == [
        ("2023-01", "failed"),
        ("2023-02", "succeeded"),
        ("2023-03", "failed"),
    ], done.stdout
    assert len(_reports(done.stdout)) == 1


def test_what_makes_no_sense_is_refused_and_no_run_is_made(
    location: CodeLocation, capsys: pytest.CaptureFixture[str]
) -> None:
    refused = {
        "chess_frget": "Could not find job 'chess_frget'",
        "chess_restore_month": "chess_restore_month needs a month: --partition 2023-01",
        "chess_restore_month --partition 2020-12": "'2020-12' is no month of chess_restore_month",
        "chess_restore_month --partition 2023-02...2023-01": "2023-02 is later than 2023-01",
        "chess_forget --partition 2023-01": "chess_forget has no months",
        "chess_forget --config {player": "is not JSON",
        "chess_forget --config 3": "'3' is no JSON object",
        """chess_forget --config '{"playr": "x"}'""": 'unexpected config entry "playr"',
        """chess_restore_month --partition 2023-01 --config '{"table": "x"}'""": "chess: games;",
    }
    for arguments, reason in refused.items():
        with pytest.raises(SystemExit) as ended:
            run_job.main(shlex.split(arguments))

        assert ended.value.code == 2
        assert reason in capsys.readouterr().err
    assert _runs() == []


def test_without_a_place_for_the_history_the_command_says_how_to_name_one(
    location: CodeLocation,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("DAGSTER_HOME")

    with pytest.raises(SystemExit):
        run_job.main(["chess_forget", "--config", '{"player": "someone"}'])

    assert "export DAGSTER_HOME=$PWD/data/dagster" in capsys.readouterr().err


def _documented() -> list[str]:
    """Return what the documents give to the command to do.

    The source of `add_a_source.md` is not deployed; the test of the example runs what it says.
    """
    documents = [file for file in DOCUMENTS if file.name != "add_a_source.md"]
    texts = [file.read_text(encoding="utf-8").replace("\\\n", " ") for file in documents]
    command = re.compile(r"^python -m pipelines_project\.run_job (.*)$", re.M)
    return [found for text in texts for found in command.findall(text)]


@pytest.mark.long
def test_what_the_documents_say_to_run_by_hand_runs(location: CodeLocation) -> None:
    location.materialize("2023-01...2023-02", LANDING)

    jobs = set()
    for arguments in map(shlex.split, _documented()):
        jobs.add(arguments[0])
        code = run_job.main(arguments)
        # The load that the document restores is none of those that were landed here.
        assert code == (1 if arguments[0] == "chess_restore_month" else 0), arguments

    by_hand = (
        "delete_stale_files",
        "restore_month",
        "forget",
        "rebuild_warehouse",
        "apply_versions",
    )
    assert jobs == {"clean_history", *(f"chess_{job}" for job in by_hand)}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda file: file.name)
def test_no_document_advises_a_command_that_only_fills_the_queue(document: Path) -> None:
    text = document.read_text(encoding="utf-8")

    assert not re.search("dagster job (launch|backfill)", text)
