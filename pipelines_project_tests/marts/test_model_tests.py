"""Tests of models in YAML: what passes, what fails and how it says so, and the command."""

import textwrap
from pathlib import Path

import pytest

from pipelines_project.marts.__main__ import main
from pipelines_project.marts.model import SqlModel
from pipelines_project.marts.model_tests import failures

_SUM = "select kind, sum(n) as total from demo.t group by kind"
_TEST = """
    tests:
      - name: sums
        given:
          demo.t:
            - {kind: a, n: 1}
            - {kind: a, n: 2}
            - {kind: b}
        expected:
          - {kind: b, total: null}
          - {kind: a, total: 3}
"""


def _model(folder: Path, sql: str, tests: str) -> Path:
    path = folder / "totals.sql"
    path.write_text(textwrap.dedent(sql))
    path.with_suffix(".tests.yaml").write_text(textwrap.dedent(tests))
    return path


def test_rows_in_any_order_with_what_they_leave_out_as_null_pass(tmp_path: Path) -> None:
    assert failures(_model(tmp_path, _SUM, _TEST)) == {}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("total: 3", "total: 4", ["missing: {'kind': 'a', 'total': 4}", "not expected: "]),
        ("          - {kind: a, total: 3}\n", "", ["not expected: {'kind': 'a', 'total': 3}"]),
        ("total: 3}", "total: 3}\n          - {kind: a, total: 3}", ["missing: {'kind': 'a'"]),
        ("n: 2", "m: 2", ["missing"]),
        ("demo.t:", "demo.other:", ["Table with name t does not exist"]),
        ("{kind: a, total: 3}", "{kind: a, sum: 3}", ['"sum" not found']),
    ],
)
def test_other_rows_fail_and_are_named(tmp_path: Path, old: str, new: str, said: list[str]) -> None:
    told = failures(_model(tmp_path, _SUM, _TEST.replace(old, new)))

    assert told.keys() == {"sums"}
    for text in said:
        assert text in told["sums"]


def test_types_are_said_where_values_do_not_tell_them(tmp_path: Path) -> None:
    tests = """
        tests:
          - name: nothing
            given:
              demo.t: {types: {kind: varchar, n: integer}}
            expected: []
          - name: types
            given:
              demo.t:
                types: {n: 'decimal(9,2)'}
                rows: [{kind: 2024-01-31, n: 1.25}]
            expected: [{kind: 2024-01-31, total: 1.25}]
    """

    assert failures(_model(tmp_path, _SUM, tests)) == {}


def test_an_incremental_model_is_built_by_month_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tests = """
        tests:
          - name: months
            given: {demo.t: [{month: 2024-01, n: 1}, {month: 2024-03, n: 2}]}
            expected: [{month: 2024-01, n: 1}, {month: 2024-03, n: 2}]
    """
    path = _model(tmp_path, "-- incremental: month\nselect month, n from demo.t", tests)
    assert failures(path) == {}

    of_months = SqlModel.of_months

    def without_march(model: SqlModel, read_from: str, first: str, last: str) -> str:
        return f"from ({of_months(model, read_from, first, last)}) where month < '2024-03'"

    monkeypatch.setattr(SqlModel, "of_months", without_march)

    assert failures(path) == {
        "months": "built month by month, other rows come of it:\n"
        "missing: {'month': '2024-03', 'n': 2}"
    }


@pytest.mark.parametrize(
    ("tests", "said"),
    [
        ("tests: [", "totals.tests.yaml"),
        ("test: []", "Extra inputs are not permitted"),
        ("tests: [{name: a}]", "expected"),
        ("assertions: {sql: {Wrong Name: select 1}}", "is not a name"),
    ],
)
def test_a_file_that_says_something_else_is_refused_by_name(
    tmp_path: Path, tests: str, said: str
) -> None:
    with pytest.raises(ValueError, match=r"totals\.tests\.yaml") as refusal:
        failures(_model(tmp_path, _SUM, tests))

    assert said in str(refusal.value)


def test_the_command_runs_every_test_below_a_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "good").mkdir()
    (tmp_path / "wrong").mkdir()
    good = _model(tmp_path / "good", _SUM, _TEST)
    wrong = _model(tmp_path / "wrong", _SUM, _TEST.replace("total: 3", "total: 4"))

    assert main(["test", str(tmp_path)]) == 1

    said = capsys.readouterr().out
    assert f"passed {good}" in said
    assert f"FAILED {wrong}\n  sums\n" in said
    assert main(["test", str(tmp_path / "good")]) == 0
    (tmp_path / "none").mkdir()
    assert main(["test", str(tmp_path / "none")]) == 1
