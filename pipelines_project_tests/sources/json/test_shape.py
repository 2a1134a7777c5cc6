"""Shapes meet in one that holds both, whatever the order."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines_project.sources.json.shape import (
    BIGINT,
    BOOLEAN,
    DOUBLE,
    EMPTY,
    LONG,
    MAX_COLUMN_LEVELS,
    MAX_KEYS,
    NULL,
    TEXT,
    Shape,
    flattened,
    leaves,
    merged,
    objects,
    parsed_shape,
    pointer,
)

_LEAVES = st.sampled_from([BIGINT, BOOLEAN, DOUBLE, EMPTY, LONG, NULL, TEXT])
_SHAPES = st.recursive(
    _LEAVES, lambda inner: st.dictionaries(st.sampled_from("abc"), inner, min_size=1), max_leaves=6
)


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [
        (BIGINT, DOUBLE, DOUBLE),
        (BIGINT, LONG, LONG),
        (LONG, DOUBLE, TEXT),
        (BIGINT, BOOLEAN, TEXT),
        (NULL, BOOLEAN, BOOLEAN),
        (EMPTY, {"a": BIGINT}, {"a": BIGINT}),
        (EMPTY, NULL, EMPTY),
        (EMPTY, BIGINT, TEXT),
        ({"a": BIGINT}, BIGINT, TEXT),
        ({"a": BIGINT}, NULL, {"a": BIGINT}),
        ({"a": BIGINT}, {"b": TEXT}, {"a": BIGINT, "b": TEXT}),
        ({"a": {"b": BIGINT}}, {"a": {"b": DOUBLE}}, {"a": {"b": DOUBLE}}),
    ],
)
def test_two_shapes_meet_in_the_narrowest_that_holds_both(
    one: Shape, other: Shape, both: Shape
) -> None:
    assert merged(one, other) == merged(other, one) == both


@given(_SHAPES, _SHAPES, _SHAPES)
def test_the_order_of_lines_is_no_matter(one: Shape, two: Shape, three: Shape) -> None:
    assert merged(one, one) == one
    assert merged(one, two) == merged(two, one)
    assert merged(merged(one, two), three) == merged(one, merged(two, three))


def test_a_structure_of_duckdb_is_read() -> None:
    structure = '{"a":"UBIGINT","b":"HUGEINT","c":["DOUBLE"],"d":{"e":"VARCHAR","f":"JSON"}}'

    assert parsed_shape(structure) == {
        "a": BIGINT,
        "b": BIGINT,
        "c": TEXT,
        "d": {"e": TEXT, "f": "JSON"},
    }


def test_leaves_and_objects_have_paths() -> None:
    shape: Shape = {"a": BIGINT, "b": {"c/d~": TEXT, "e": {"f": NULL}}}

    assert [*leaves(shape)] == [
        (("a",), BIGINT),
        (("b", "c/d~"), TEXT),
        (("b", "e", "f"), NULL),
    ]
    assert [*objects(shape)] == [(), ("b",), ("b", "e")]
    assert pointer(("b", "c/d~")) == "/b/c~1d~0"


def test_maps_and_what_is_nested_too_deep_are_text() -> None:
    wide: dict[str, Any] = {f"k{n}": BIGINT for n in range(MAX_KEYS + 1)}
    depth = MAX_COLUMN_LEVELS + 5

    assert flattened(wide) == wide
    assert flattened({"map": wide}) == {"map": TEXT}
    [(path, kind)] = leaves(parsed_shape('{"a":' * depth + '"DOUBLE"' + "}" * depth))
    assert (len(path), kind) == (MAX_COLUMN_LEVELS + 1, TEXT)
