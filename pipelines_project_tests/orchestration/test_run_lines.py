"""What is seen of a run while it goes on: lines, and a bar where there is a terminal."""

import io
import sys

import dagster as dg
import pytest
from starlette.responses import Response

from pipelines_project.orchestration.run_lines import FOLLOWED, followed
from pipelines_project_tests.code_location import LANDING, WAREHOUSE, CodeLocation

pytestmark = pytest.mark.stack

_MONTHS = ["2024-01", "2024-02"]


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def _followed(chess: CodeLocation) -> None:
    keys = [dg.AssetKey.from_user_string(key) for key in (LANDING, WAREHOUSE)]
    job = chess.defs.resolve_implicit_global_asset_job_def()
    with followed(keys, _MONTHS, 4):
        chess.run(job, "2024-01...2024-02", assets=keys, config={"loggers": {FOLLOWED: {}}})


def test_each_month_of_each_asset_is_a_line_with_rows_and_seconds(
    chess: CodeLocation, capsys: pytest.CaptureFixture[str]
) -> None:
    _followed(chess)

    said = capsys.readouterr()
    lines = said.out.splitlines()
    assert len(lines) == 4
    for line, month in zip(lines[:2], _MONTHS, strict=True):
        assert line.startswith(f"{LANDING} {month}: 40 rows landed as load ")
    for line, month in zip(lines[2:], _MONTHS, strict=True):
        assert line.startswith(f"{WAREHOUSE} {month}: 40 rows loaded in ")
        assert line.endswith(" s")
    # No bar, and nothing to move a cursor by: it is the log of a CI job.
    assert said.err == ""
    assert "\r" not in said.out


def test_a_month_that_fails_is_a_line_and_the_steps_that_wait_for_it_are_none(
    chess: CodeLocation, capsys: pytest.CaptureFixture[str]
) -> None:
    chess.faults.answer_always("hikaru/games/2024/02", Response(status_code=404))

    _followed(chess)

    landed, failed = capsys.readouterr().out.splitlines()
    assert landed.startswith(f"{LANDING} 2024-01: 40 rows landed")
    assert failed.startswith(f"ERROR {LANDING} 2024-02 failed: ")


def test_a_terminal_shows_how_many_of_the_months_are_done(
    chess: CodeLocation, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    terminal = _Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)

    _followed(chess)

    assert "0/4" in terminal.getvalue()
    assert "3/4" in terminal.getvalue()
    assert len(capsys.readouterr().out.splitlines()) == 4
