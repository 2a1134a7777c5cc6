"""A known shape is found again only in lines that surely have it."""

import json
from collections.abc import Iterator
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines_project.sources.json.inference import has_shape, structure_of, with_values
from pipelines_project.sources.json.shape import (
    BIGINT,
    BOOLEAN,
    DOUBLE,
    EMPTY,
    LONG,
    NULL,
    TEXT,
    Shape,
    merged,
)

_VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.integers(-9, 9),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(["", "x", "1", "true", "null", "{}", "[1]"]),
    st.lists(st.integers(0, 3), max_size=2),
)
_OBJECTS = st.recursive(
    st.dictionaries(st.sampled_from(["a", "A", "b", "", "x/y"]), _VALUES, max_size=3),
    lambda inner: st.dictionaries(st.sampled_from(["a", "b", "o"]), inner | _VALUES, max_size=3),
    max_leaves=5,
)


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(config={"threads": 1}) as opened:
        yield opened


def _lines(*rows: Any) -> pa.Table:
    lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    return pa.table(
        {
            "file": pa.array([0] * len(lines), pa.int32()),
            "number": pa.array(range(1, len(lines) + 1), pa.int64()),
            "line": pa.array(lines, pa.large_string()),
        }
    )


def _shape_of(connection: duckdb.DuckDBPyConnection, lines: pa.Table) -> Shape:
    return with_values(connection, lines, structure_of(connection, lines))


@settings(max_examples=60)
@given(st.lists(_OBJECTS, min_size=1, max_size=4), st.lists(_OBJECTS, min_size=1, max_size=4))
def test_lines_that_are_said_to_have_a_shape_do_not_change_it(
    connection: duckdb.DuckDBPyConnection, seen: list[Any], more: list[Any]
) -> None:
    known = _shape_of(connection, _lines(*seen))
    if known and has_shape(connection, _lines(*more), known):
        assert merged(known, _shape_of(connection, _lines(*more))) == known


_SHAPE: Shape = {
    "b": BOOLEAN,
    "i": BIGINT,
    "l": LONG,
    "d": DOUBLE,
    "t": TEXT,
    "n": NULL,
    "e": EMPTY,
    "o": {"i": BIGINT},
}


@pytest.mark.parametrize(
    "row",
    [
        {"b": True, "i": -5, "l": 2**62, "d": 1.5, "t": "x", "e": {}, "o": {"i": 1}},
        {"d": 3, "t": [1]},
        {"i": None, "n": None, "o": {"i": None}},
        '{"d": 1e5}',
    ],
)
def test_lines_of_the_shape_are_known_again(
    connection: duckdb.DuckDBPyConnection, row: Any
) -> None:
    assert has_shape(connection, _lines(row), _SHAPE)


@pytest.mark.parametrize(
    "row",
    [
        {"new": 1},
        {"o": {"new": 1}},
        {"o": 1},
        {"o": [1]},
        {"o": {}},
        {"b": 1},
        {"b": "true"},
        {"l": 2**63},
        {"l": str(2**62)},
        {"i": 1.0},
        {"i": "1"},
        {"i": 2**53 + 1},
        {"i": True},
        {"d": "1.5"},
        {"d": 2**53 + 1},
        {"d": [1.5]},
        {"n": 1},
        {"e": {"a": 1}},
        {"e": []},
        '{"i": 1, "i": 1}',
        '{"o": {"i": 1, "i": 1}}',
        "null",
        "[]",
        "5",
    ],
)
def test_other_lines_are_not(connection: duckdb.DuckDBPyConnection, row: Any) -> None:
    good = {"i": 1, "o": {"i": 1}}

    assert not has_shape(connection, _lines(good, row, good), _SHAPE)


def test_a_text_beside_long_integers_is_seen(connection: duckdb.DuckDBPyConnection) -> None:
    assert not has_shape(connection, _lines({"l": 2**62}, {"l": "x"}), {"l": LONG})
    assert has_shape(connection, _lines({"l": 2**62}, {"l": None}, {"l": 5}), {"l": LONG})


def test_a_line_that_is_no_json_is_an_error(connection: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(duckdb.InvalidInputException):
        has_shape(connection, _lines({"i": 1}, '{"i": '), _SHAPE)


def test_an_always_empty_object_differs_from_a_mixed_column(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    rows = [{"e": {}, "m": {}}, {"e": None, "m": 1}, {"e": {}, "m": {"a": 1}}]

    assert _shape_of(connection, _lines(*rows)) == {"e": EMPTY, "m": TEXT}
    assert _shape_of(connection, _lines({}, {})) == {}
    assert _shape_of(connection, _lines()) == {}
