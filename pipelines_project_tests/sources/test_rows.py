"""A row keeps its lists as JSON text, wherever they are, and everything else as it is."""

from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
from dlt.common import json
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines_project.sources.rows import lists_as_json

SCALARS = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text()
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=12
)


def _holds_a_list(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_holds_a_list, value.values()))
    return isinstance(value, list | tuple)


def _back(value: Any, original: Any) -> Any:
    if isinstance(original, list):
        return json.loads(value)
    if isinstance(original, dict):
        return {name: _back(value[name], original[name]) for name in original}
    return value


@settings(max_examples=50)
@given(st.dictionaries(st.text(), VALUES))
def test_no_list_is_left_and_no_value_is_lost(row: dict[str, Any]) -> None:
    flat = lists_as_json(row)

    assert not _holds_a_list(flat)
    assert _back(flat, row) == row


def test_a_list_in_a_nested_object_is_json_and_the_object_stays_one() -> None:
    row = {"a": {"b": {"tags": ["x", {"y": [1]}]}}, "none": [], "n": None}

    assert lists_as_json(row) == {
        "a": {"b": {"tags": '["x",{"y":[1]}]'}},
        "none": "[]",
        "n": None,
    }
    assert row["a"] == {"b": {"tags": ["x", {"y": [1]}]}}


def test_a_tuple_is_a_list_too_as_dlt_would_make_a_child_table_of_it() -> None:
    assert lists_as_json({"v": (1, {"w": 2})}) == {"v": '[1,{"w":2}]'}


def test_times_in_a_list_are_json_text() -> None:
    moment = datetime(2023, 1, 2, 3, 4, 5, tzinfo=UTC)

    assert "2023-01-02T03:04:05" in lists_as_json({"at": [moment]})["at"]
    assert lists_as_json({"at": moment}) == {"at": moment}


def test_a_table_of_arrow_is_left_alone() -> None:
    table = pa.table({"tags": [[1, 2]]})

    assert lists_as_json(table) is table
