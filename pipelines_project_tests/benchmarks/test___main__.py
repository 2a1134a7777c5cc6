"""The command line writes what it measured, and refuses a case that there is not."""

import json
import sys
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import __main__ as command_line
from benchmarks.case import SECONDS, Case, Contender

_CASE = Case(
    name="nothing",
    what="Doing nothing.",
    unit="times",
    sizes={7: 2},
    prepared=lambda *_: nullcontext(),
    contenders={"ours": Contender(lambda *_: {SECONDS: 0.5})},
)


@pytest.fixture(autouse=True)
def _one_case(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command_line, "CASES", {"nothing": _CASE})
    # Signals stay as they are for the other tests.
    monkeypatch.setattr(command_line, "exit_on_signals", lambda: None)


def test_a_case_leaves_its_report_and_the_summary(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command_line.main(["nothing", "--output", str(tmp_path), "--folder", str(tmp_path)])

    report = json.loads((tmp_path / "nothing.json").read_text())
    [measured] = report["measurements"]
    assert (measured["size"], measured["rounds"]) == (7, [{SECONDS: 0.5}, {SECONDS: 0.5}])
    printed = capsys.readouterr().out.strip()
    assert printed.startswith("nothing: Doing nothing.")
    assert printed in (tmp_path / "summary.md").read_text()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["nothing.json", "summary.md"]


def test_the_summary_keeps_cases_that_were_measured_before_and_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command_line, "CASES", {"other": replace(_CASE, name="other")})
    command_line.main(["other", "--output", str(tmp_path)])
    (tmp_path / "other.json").unlink()
    before = (tmp_path / "summary.md").read_text().removeprefix("# `make bench`\n\n")

    monkeypatch.setattr(
        command_line, "CASES", {"nothing": _CASE, "other": replace(_CASE, name="other")}
    )
    command_line.main(["nothing", "--output", str(tmp_path)])

    after = (tmp_path / "summary.md").read_text()
    assert after.startswith("# `make bench`\n\n```\nnothing: Doing nothing.")
    assert after.endswith(f"\n\n{before}")


def test_sizes_and_rounds_can_be_chosen(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="plots need the extra bench")
    command_line.main(["--sizes", "1,5", "--rounds", "3", "--output", str(tmp_path)])

    measured = json.loads((tmp_path / "nothing.json").read_text())["measurements"]
    assert [(each["size"], len(each["rounds"])) for each in measured] == [(1, 3), (5, 3)]
    assert (tmp_path / "nothing.svg").stat().st_size > 1000


def test_a_case_that_there_is_not_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        command_line.main(["everything"])

    assert "no case everything, only nothing" in capsys.readouterr().err
    assert "benchmarks" in sys.modules
