"""Lines of a known shape are parsed once into what two readings with care give, or refused."""

import json
from collections.abc import Iterator

import duckdb
import pyarrow as pa
import pytest
from dlt.common.normalizers.naming.snake_case import NamingConvention
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pipelines_project.sources.json.arrow_parser import UnfitJsonError, schema_of
from pipelines_project.sources.json.columns import columns_of, rows
from pipelines_project.sources.json.lines import exact_lines, sorted_lines
from pipelines_project.sources.json.raw_lines import Piece, block_of
from pipelines_project.sources.json.shape import Shape, flattened, merged
from pipelines_project.sources.json.typed_lines import typed_lines

SHAPE: Shape = {
    "i": "BIGINT",
    "d": "DOUBLE",
    "b": "BOOLEAN",
    "s": "VARCHAR",
    "o": {"x": "BIGINT", "": {"y": "VARCHAR"}},
    "n": "NULL",
}


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(config={"threads": 1}) as connected:
        yield connected


def _is_taken(connection: duckdb.DuckDBPyConnection, data: bytes, shape: Shape = SHAPE) -> bool:
    """Tell whether data is taken; if so, fail unless reading it with care gives the same rows."""
    schema = schema_of(shape)
    assert schema is not None
    try:
        count, values = typed_lines(connection, data, schema)
    except UnfitJsonError:
        return False
    block = block_of([Piece(0, 1, data)])
    found = sorted_lines(connection, block)
    assert not found.bad
    columns = columns_of(merged(shape, found.shape), NamingConvention(), ())
    assert columns == columns_of(shape, NamingConvention(), ())
    types = pa.schema([column.field for column in columns])
    careful = rows(connection, exact_lines(connection, block.lines)[0], columns, types)
    quick = pa.Table.from_arrays([values[c.path] for c in columns], types.names).cast(types)
    assert count == len(careful) == len(block.lines)
    # As text a zero has its sign, and no number equals another one.
    assert repr(quick.to_pydict()) == repr(careful.to_pydict())
    return True


TAKEN = [
    b'{"i": 1}\n{"i": null}\n{}\n{"o": null}\n{"o": {}}\n{"o": {"": {"y": "z"}, "x": 5}}\n',
    b'{"i": 9223372036854775807, "n": null}\n{"i": -9223372036854775808}',
    b'{"i":1}\r\n{"i":2}\r\n',
    b'{"i":\r1}\n{"i":\t2 }',
    b'{"d": 0.30000000000000004}\n{"d": 10}\n{"d": -0.0}\n{"d": 5e-324}\n{"d": 1E5}\n{"d": 0.10}',
    b'{"s": "\\u0000\\ud83d\\ude00\\/\\n \x7f"}\n{"s": "\xe2\x80\xa8"}\n{"\\u0073": ""}',
    b'{"s": "0.1234567890123456789", "d": 1}',
    b'{"s": "}{", "b": true}\n{"b": false}',
]
REFUSED = [
    b'\n{"i":1}\n',
    b'{"i":1}\n\n{"i":2}\n',
    b' {"i":1}\n',
    b'{"i":1}\n\xef\xbb\xbf{"i":1}\n',
    b"null\n",
    b'{"i":1}\nnull\n{"i":1}\n',
    b'{"i":1}null{"i":1}\n',
    b'{"i":1} \t\rnull\n{"i":1}\n',
    b'{"i":1}{"i":2}\n',
    b'{"i":1}{"i":2}\n{"o":\n{"x":1}}\n',
    b'{"o":{}\n{"i":1}}\n',
    b'{"i":1}\n\x00\x00\n{"i":2}\n',
    b'{"i":1}\x00{"i":2}\n',
    b'[{"i":1}]\n',
    b'{"i":1,"i":1}\n',
    b'{"i":null,"\\u0069":null}\n',
    b'{"o":{"x":1,"x":1}}\n',
    b'{"o":{"x":1},"o":{"":null}}\n',
    b'{"I":1}\n',
    b'{"i\\u0000":1}\n',
    b'{"new":null}\n',
    b'{"o":{"new":1}}\n',
    b'{"o":1}\n',
    b'{"o":[]}\n',
    b'{"n":1}\n',
    b'{"n":{}}\n',
    b'{"i":1.0}\n',
    b'{"i":1e3}\n',
    b'{"i":"1"}\n',
    b'{"i":true}\n',
    b'{"i":01}\n',
    b'{"i":9223372036854775808}\n',
    b'{"b":1}\n',
    b'{"b":"true"}\n',
    b'{"s":1}\n',
    b'{"s":[1]}\n',
    b'{"s":{}}\n',
    b'{"s":"\xff"}\n',
    b'{"s":"\xed\xa0\x80"}\n',
    b'{"s":"\x01"}\n',
    b'{"s":"\\ud800"}\n',
    b'{"s":"\\udc00"}\n',
    b'{"d":"1"}\n',
    b'{"d":-0}\n',
    b'{"d":NaN}\n',
    b'{"d":Inf}\n',
    b'{"d":1e400}\n',
    b'{"d":1e-400}\n',
    b'{"d":9007199254740993}\n',
    b'{"d":0.1234567890123456789}\n',
    b'{"d":12345678901234567.5}\n',
]
"""Each is a line that is bad, of another shape, or that Arrow reads otherwise than DuckDB."""


@pytest.mark.parametrize("data", TAKEN)
def test_lines_of_the_shape_are_taken_as_reading_with_care_would(
    connection: duckdb.DuckDBPyConnection, data: bytes
) -> None:
    assert _is_taken(connection, data)


@pytest.mark.parametrize("data", REFUSED)
@pytest.mark.parametrize("before", [b"", b'{"i": 5, "o": {"x": 1, "": {"y": ""}}}\n' * 3])
def test_lines_that_may_not_be_of_the_shape_are_refused(
    connection: duckdb.DuckDBPyConnection, before: bytes, data: bytes
) -> None:
    assert not _is_taken(connection, before + data)


def test_a_shape_with_lists_or_empty_objects_is_not_for_arrow() -> None:
    assert schema_of({"a": {"b": "EMPTY"}}) is None
    assert schema_of("VARCHAR") is None


_NUMBERS = st.sampled_from(
    [
        *("0", "-0", "7", "-1", "9007199254740992", "9007199254740993", "9223372036854775808"),
        *("1.5", "-0.0", "1e5", "1e-400", "1E400", "0.1234567890123456789"),
    ]
)
_LITERALS = st.one_of(
    _NUMBERS,
    st.integers(-(2**70), 2**70).map(str),
    st.floats().map(json.dumps),
    st.text(st.characters(codec="utf-8"), max_size=3).map(json.dumps),
    st.sampled_from(["null", "true", "{}", "[]", '"} null"', '"\\ud800"', '"\x7f"', '"-0 "']),
)
_PIECES = st.sampled_from(
    [b"null", b"}null{", b"{}", b"\n", b"\r\n", b"}\n{", b"}{", b",", b'"', b"\\", b"\x00", b"\xff"]
)


@st.composite
def _lines(draw: st.DrawFn) -> list[str]:
    """Return lines whose values at a key are mostly of one kind."""
    keys = draw(st.lists(st.sampled_from(["a", "A", "b", "", "o/~"]), min_size=1, unique=True))
    kinds = {key: draw(st.lists(_LITERALS, min_size=1, max_size=2)) for key in keys}
    lines: list[str] = []
    for _ in range(draw(st.integers(1, 4))):
        of_line = draw(st.permutations(keys))[: draw(st.integers(0, len(keys)))]
        items = [f"{json.dumps(key)}: {draw(st.sampled_from(kinds[key]))}" for key in of_line]
        inner = f'"in": {{{", ".join(items)}}}'
        lines.append("{" + ", ".join([*items, inner][: draw(st.integers(1, 9))]) + "}\n")
    return lines


@pytest.mark.stack
@given(_lines(), st.integers(0, 3), st.integers(0, 200), st.one_of(st.just(b""), _PIECES))
@example(['{"a": 1}\n', '{"a": 2}\n'], 1, 8, b"null")
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_what_is_taken_is_what_reading_with_care_gives(
    connection: duckdb.DuckDBPyConnection, lines: list[str], seen: int, at: int, piece: bytes
) -> None:
    """The shape is that of the first lines; a piece of bytes is put somewhere into all of them."""
    first = "".join(lines[: seen + 1]).encode()
    shape = flattened(sorted_lines(connection, block_of([Piece(0, 1, first)])).shape)
    data = "".join(lines).encode()
    at = min(at, len(data))
    if shape and schema_of(shape):
        _is_taken(connection, data[:at] + piece + data[at:], shape)
