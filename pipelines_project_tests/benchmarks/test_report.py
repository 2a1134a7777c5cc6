"""The report says of each target whether it is met, and compares with the first contender."""

import json
from contextlib import nullcontext
from typing import Any

import pytest

from benchmarks.case import CPU, SECONDS, Case, Contender, Target, ratio
from benchmarks.report import as_text, report_of
from benchmarks.rounds import Measured


def _contender() -> Contender[None]:
    return Contender(lambda *_: {})


def _report(*targets: Target) -> dict[str, Any]:
    case = Case(
        name="case",
        what="A case.",
        unit="rows",
        sizes={10: 2},
        prepared=lambda *_: nullcontext(),
        contenders={"ours": _contender(), "plain": _contender()},
        targets=targets,
        details=lambda: ["a line more"],
    )
    measured = [
        Measured("ours", 10, [{SECONDS: 1.0, CPU: 2.0}, {SECONDS: 3.0, CPU: 2.0}]),
        Measured("plain", 10, [{SECONDS: 5.0, CPU: 8.0, "run_seconds": 1234.5}]),
    ]
    return json.loads(json.dumps(report_of(case, measured)))


def test_the_medians_are_shown_beside_their_ratios() -> None:
    lines = [line.split() for line in as_text(_report()).splitlines()]

    assert lines[3:6] == [
        ["rows", "who", "rounds", "seconds", "x", "first", "cpu", "s", "x", "first", "run_seconds"],
        ["10", "ours", "2", "2.0", "1.0", "2.0", "1.0", "-"],
        ["10", "plain", "1", "5.0", "2.5", "8.0", "4.0", "1,234"],
    ]
    assert lines[-1] == ["a", "line", "more"]


@pytest.mark.parametrize(
    ("limit", "at_least", "said"),
    [(2.5, False, "met"), (2.4, False, "not met"), (2.5, True, "met"), (2.6, True, "not met")],
)
def test_a_target_is_met_or_not(limit: float, at_least: bool, said: str) -> None:
    target = Target("plain over ours", limit, ratio(("plain", 10), ("ours", 10)), at_least)
    line = f"plain over ours {'≥' if at_least else '≤'} {limit} 2.5 {said}"

    assert line in [" ".join(each.split()) for each in as_text(_report(target)).splitlines()]


def test_a_target_of_a_size_that_was_not_run_is_not_measured() -> None:
    target = Target("later", 1, ratio(("ours", 20), ("ours", 10)))
    [verdict] = _report(target)["targets"]

    assert (verdict["value"], verdict["is_met"]) == (None, None)
    assert "not measured" in as_text(_report(target))
