"""Which rows are a person's: by value, whatever the column's type, and by the text of bad lines."""

from typing import Any

import pyarrow as pa
import pytest

from pipelines_project.forget.subject import Subject


@pytest.mark.parametrize(
    ("column", "value", "theirs"),
    [
        (pa.array(["erik", "erik2", None, "Erik"]), "erik", [True, False, False, False]),
        (pa.array(["erik"], pa.large_string()), "erik", [True]),
        (pa.array([42, 420, None]), "42", [True, False, False]),
        (pa.array([42.0, 42.5, float("nan")]), "42", [True, False, False]),
        (pa.array([42]), "erik", [False]),
        (pa.array([True, False]), "erik", [False, False]),
        (pa.array([None, None]), "erik", [False, False]),
        (pa.array([], pa.string()), "erik", []),
        (pa.array(["x' or '1'='1", "y"]), "x' or '1'='1", [True, False]),
    ],
)
def test_a_row_is_theirs_if_its_value_equals_theirs(
    column: Any, value: str, theirs: list[bool]
) -> None:
    rows = pa.table({"who": column})

    assert Subject("who", value).of_rows(rows).to_pylist() == theirs
    assert not any(Subject("other", value).of_rows(rows).to_pylist())


@pytest.mark.parametrize(
    ("value", "line", "is_theirs"),
    [
        ("erik", '{"player": "erik", ', True),
        ("erik", "erik", True),
        ("erik", '{"player": "erik2"', False),
        ("42", '{"id": 42,', True),
        ("42", '{"id": 421,', False),
        ("zoë", r'{"who": "zo\u00eb"', True),
        ("zoë", '{"who": "zoë"', True),
        ("a.b", '{"who": "axb"', False),
        ("a.b", '{"who": "a.b"', True),
        (r"a\b", r'{"who": "a\\b"', True),
        ("(", '{"who": "("', True),
        ("two words", '{"who": "two words"', True),
    ],
)
def test_a_quarantined_line_is_theirs_if_it_names_them(
    value: str, line: str, is_theirs: bool
) -> None:
    rows = pa.table({"line": pa.array([line, "{"], pa.large_string())})

    subject = Subject("who", value)
    assert subject.of_quarantined(rows).to_pylist() == [is_theirs, False]
    assert subject.is_in(line) == is_theirs
