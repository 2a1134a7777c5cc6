"""Numbers that no 64-bit type holds, made into strings, so that none loses a digit on its way.

DuckDB reads a JSON number as a 64-bit integer or as a double. An integer beyond 64 bits, a fraction
with more digits than a double keeps, and 1e400 would come out as another number. Written as a
string such a number makes its column text, and there every digit stays.
"""

import re
from decimal import Decimal
from typing import Any, NamedTuple

import duckdb
import pyarrow as pa
import pyarrow.compute

# Its functions are made when it is imported, where no type checker sees them.
pc: Any = pyarrow.compute

_SUSPECT = r"[:,\[\s]-?(?:[0-9][0-9.]{15}|[0-9.]+[eE][-+]?[0-9]{3})"
_LITERAL = r"[:,\[\s](-?[0-9][0-9.]{15,}(?:[eE][-+]?[0-9]+)?|-?[0-9.]+[eE][-+]?[0-9]{3,})"
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?')
# The digits of a number without its sign, point, exponent and the zeros at both ends.
_MANTISSA = "trim(replace(regexp_replace({}, '[eE].*', ''), '.', ''), '-0')"
_INEXACT = f"""
    case when regexp_matches(literal, '[.eE]')
        then {_MANTISSA.format("literal")}
            <> {_MANTISSA.format("coalesce(cast(try_cast(literal as double) as varchar), 'none')")}
        else try_cast(literal as bigint) is null
    end
"""
LONG_INTEGER = 2**53
"""Beyond it, on either side of zero, a double skips integers."""
_IS_LONG = f"""
    not regexp_matches(literal, '[.eE]')
    and abs(cast(try_cast(literal as bigint) as hugeint)) > {LONG_INTEGER}
"""


class ExactNumbers(NamedTuple):
    """Lines in which every number keeps its digits.

    Attributes:
        lines: the lines.
        changed: whether any number was made a string.
        has_long: whether any line holds an integer that a double would change.
    """

    lines: pa.Array
    changed: bool
    has_long: bool


def with_exact_numbers(connection: duckdb.DuckDBPyConnection, lines: pa.Array) -> ExactNumbers:
    """Return the lines with every number that no 64-bit type holds written as a string.

    Args:
        connection: any DuckDB connection.
        lines: valid JSON, one document each.
    """
    suspects = pc.indices_nonzero(pc.match_substring_regex(lines, _SUSPECT))
    if not len(suspects):
        return ExactNumbers(lines, False, False)
    connection.register("suspects", pa.table({"position": suspects, "line": lines.take(suspects)}))
    found = connection.execute(
        f"""with literals as (
                select position, unnest(regexp_extract_all(line, '{_LITERAL}', 1)) as literal
                from suspects
            )
            select position, bool_or({_INEXACT}) as inexact, bool_or({_IS_LONG}) as long
            from literals group by position having inexact or long order by position"""
    ).fetchall()
    has_long = any(long for _, _, long in found)
    positions = pa.array([position for position, inexact, _ in found if inexact], pa.int64())
    if not len(positions):
        return ExactNumbers(lines, False, has_long)
    written = [_with_strings(line) for line in lines.take(positions).to_pylist()]
    is_changed = pc.is_in(pa.array(range(len(lines)), pa.int64()), positions)
    changed = pc.replace_with_mask(lines, is_changed, pa.array(written, lines.type))
    return ExactNumbers(changed, True, has_long)


def _with_strings(line: str) -> str:
    return _TOKEN.sub(lambda match: match[0] if _is_kept(match[0]) else f'"{match[0]}"', line)


def _is_kept(token: str) -> bool:
    """Tell whether DuckDB keeps a token as it is: a string, or a number that fits its type."""
    if token.startswith('"'):
        return True
    if not set(token) & set(".eE"):
        return -(2**63) <= int(token) < 2**63
    # Infinity does not equal any literal, nor does a number that lost digits.
    return Decimal(repr(float(token))) == Decimal(token)
