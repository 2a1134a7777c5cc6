"""Only the numbers that no 64-bit type holds become strings."""

import json
from collections.abc import Iterator
from decimal import Decimal

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines_project.sources.json.exact_numbers import ExactNumbers, with_exact_numbers

_DIGITS = st.text("0123456789", min_size=1, max_size=25)
_LITERALS = st.builds(
    lambda sign, whole, fraction, exponent: sign + whole + fraction + exponent,
    st.sampled_from(["", "-"]),
    _DIGITS.map(lambda digits: digits.lstrip("0") or "0"),
    st.one_of(st.just(""), _DIGITS.map(lambda digits: f".{digits}")),
    st.one_of(st.just(""), st.integers(-400, 400).map(lambda power: f"e{power}")),
)


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(config={"threads": 1}) as opened:
        yield opened


def _exact(connection: duckdb.DuckDBPyConnection, *lines: str) -> ExactNumbers:
    return with_exact_numbers(connection, pa.array(lines, pa.large_string()))


@settings(max_examples=150)
@given(_LITERALS, _LITERALS)
def test_every_number_is_kept_by_its_type_or_is_a_string(
    connection: duckdb.DuckDBPyConnection, one: str, other: str
) -> None:
    found = _exact(connection, f'{{"a":{one},"b": [{other} ,{one}]}}')

    value = json.loads(found.lines[0].as_py(), parse_int=int, parse_float=float)
    for landed, literal in zip([value["a"], *value["b"]], [one, other, one], strict=True):
        if isinstance(landed, str):
            assert landed == literal
        elif isinstance(landed, int):
            assert str(landed) == literal or int(literal) == 0
        else:
            assert Decimal(repr(landed)) == Decimal(literal)


@pytest.mark.parametrize(
    "line",
    [
        '{"a":0.1,"b":123456789012345,"c":"0.1234567890123456789","d":1e22}',
        '{"a":"x: 0.12345678901234567890, \\" 1e400"}',
        '{"a":9223372036854775807,"b":0.30000000000000004}',
    ],
)
def test_other_lines_stay_as_they_are(connection: duckdb.DuckDBPyConnection, line: str) -> None:
    found = _exact(connection, line)

    assert found.lines.to_pylist() == [line]


def test_integers_of_any_length_stay_as_they_are(connection: duckdb.DuckDBPyConnection) -> None:
    assert not _exact(connection, '{"a":123456789012345678901234567890}').changed
    assert not _exact(connection, '{"a":"of 0.1234567890123456789"}').changed
    assert _exact(connection, '{"a":[0.1234567890123456789]}').changed
