"""Every case runs on a tiny input, and its targets speak of what it runs."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from dagster_graphql.schema import create_schema
from graphql import parse, validate

from benchmarks import commands, measure
from benchmarks.case import CPU, PEAK, SECONDS, Case, Figures
from benchmarks.cases import CASES, chess, freshdesk
from benchmarks.cases.load_time import slowest_imports
from benchmarks.cases.ui_backfill import LAUNCH, RUN_SECONDS, STATUS, launch_params
from benchmarks.report import as_text, report_of
from benchmarks.rounds import take_turns
from pipelines_project_tests.benchmarks.here import materialize_here, run_here, service_here

_TINY = {"replace_month": 6, "jsonl_to_parquet": 9, "parquet_to_duckdb": 9, "jsonl_to_duckdb": 9}
_TINY |= {"csv_to_parquet": 9}
_TINY |= dict.fromkeys((name for name in CASES if name.startswith("jsonl_wide")), 9)
_PREPARED: dict[str, Any] = {
    "chess_backfill": lambda size, _: chess.chess_months(size, games=2),
    "rerun_unchanged": lambda size, _: chess.chess_months(size, games=2),
    "freshdesk_backfill": lambda size, _: freshdesk.ticket_months(size, tickets=2),
}
# The daemon takes a minute for any backfill.
_QUICK = sorted({*CASES} - {"ui_backfill"})


def _tiny(name: str) -> Case[Any]:
    case = replace(CASES[name], warm_up=None, details=None)
    return replace(case, prepared=_PREPARED.get(name, case.prepared))


# What the `dagster` command warns of, itself included.
@pytest.mark.filterwarnings("ignore::dagster.SupersessionWarning", "ignore::DeprecationWarning")
@pytest.mark.stack
@pytest.mark.long
@pytest.mark.parametrize("name", _QUICK)
def test_a_case_runs_on_a_tiny_input(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measure, "command", run_here)
    monkeypatch.setattr(commands, "materialize", materialize_here)
    for module in (chess, freshdesk):
        monkeypatch.setattr(module, "service", service_here)
    case, size = _tiny(name), _TINY.get(name, 1)

    report = report_of(case, take_turns(case, {size: 1}, tmp_path, lambda _: None))

    assert [each["contender"] for each in report["measurements"]] == [*case.contenders]
    for each in report["measurements"]:
        assert each["size"] == size
        assert each["median"][SECONDS] > 0
    assert not [target for target in report["targets"] if target["is_met"] is not None]
    assert all(who in as_text(report) for who in case.contenders)


@pytest.mark.parametrize("name", sorted(CASES))
def test_a_target_speaks_of_sizes_and_contenders_that_are_run(name: str) -> None:
    case = CASES[name]
    took: dict[tuple[str, int], Figures] = {
        (who, size): dict.fromkeys((SECONDS, CPU, PEAK, RUN_SECONDS), float(size))
        for who, contender in case.contenders.items()
        for size in case.sizes
        if contender.largest is None or size <= contender.largest
    }

    for target in case.targets:
        assert target.value(took) > 0


def test_the_ui_is_asked_in_its_own_words() -> None:
    schema = create_schema().graphql_schema

    assert not [error for query in (LAUNCH, STATUS) for error in validate(schema, parse(query))]
    fields = schema.type_map["LaunchBackfillParams"].fields  # type: ignore[attr-defined]
    assert {*launch_params(["2014-01"])["params"]} <= {*fields}


def test_the_slowest_imports_come_first() -> None:
    header, first, *_ = slowest_imports("import json.decoder")

    assert header.split()[:3] == ["total", "own", "module"]
    total, own, _ = first.split()
    assert int(total) >= int(own)
    assert any(line.endswith("  json.decoder") for line in slowest_imports("import json.decoder"))
