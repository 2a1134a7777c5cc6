"""Fractions that no double holds, made into strings, so that none loses a digit on its way.

DuckDB hands through the text of an integer beyond 64 bits, but reads every fraction as a double. A
fraction with more digits than a double keeps would come out as another number, and 1e-400 as zero.
Written as a string such a number makes its column text, and there every digit stays.
"""

import json
import re
from typing import Any, NamedTuple

import duckdb
import pyarrow as pa
import pyarrow.compute

# Its functions are made when it is imported, where no type checker sees them.
pc: Any = pyarrow.compute

LONG_INTEGER = 2**53
"""Beyond it, on either side of zero, a double skips integers."""

# A double keeps any fifteen digits; with point and zeros a number may have more characters.
_SUSPECT = r"[:,\[\s]-?(?:[0-9][0-9.]{15}|[0-9.]+[eE][-+]?[0-9]{3})"
_FRACTION = "[0-9]+[.eE][0-9.eE+-]+"
_AS_DOUBLE = "coalesce(cast(try_cast(part as double) as varchar), 'none')"
# The digits of a number without its sign, point, exponent and the zeros at both ends.
_DIGITS = "trim(replace(regexp_replace({}, '[eE].*', ''), '.', ''), '-0')"
_IS_INEXACT = f"""
    part <> {_AS_DOUBLE} and regexp_full_match(part, '-?{_FRACTION}')
    and {_DIGITS.format("part")} <> {_DIGITS.format(_AS_DOUBLE)}
"""
# What is no number, strings included, and what is one.
_PARTS = r'(?:"(?:[^"\\]|\\.)*"|[^"0-9-])+|-?[0-9][0-9.eE+-]*|-'
_POSITIONS = f"""
    select distinct position
    from (select position, unnest(regexp_extract_all(line, '{_FRACTION}')) as part from suspects)
    where {_IS_INEXACT}
    order by position
"""
_WRITTEN = f"""
    select array_to_string(
        list_transform(
            regexp_extract_all(line, '{_PARTS}'),
            lambda part: if({_IS_INEXACT}, '"' || part || '"', part)
        ),
        ''
    ) as line
    from lines
"""


class ExactNumbers(NamedTuple):
    """Lines in which every number keeps its digits, and whether any was made a string for it."""

    lines: "pa.Array[Any]"
    changed: bool


def may_be_inexact(lines: bytes) -> bool:
    """Tell whether any of the lines may have a number that no double holds."""
    whole = pa.scalar(lines, pa.large_binary())
    return pc.match_substring_regex(whole, _SUSPECT).as_py()


def are_short(doubles: "pa.Array[Any]") -> bool:
    """Tell whether all are numbers, and none is beyond the integers that a double tells apart."""
    return pc.all(pc.less(pc.abs(doubles), LONG_INTEGER)).as_py() is not False


def has_inexact(document: bytes) -> bool:
    """Tell whether a JSON document has a fraction that no double holds; parses all of it."""
    inexact: list[str] = []

    def read(number: str) -> float:
        value = float(number)
        held = repr(value)
        if number != held and _digits(number) != _digits(held):
            inexact.append(number)
        return value

    json.loads(document, parse_float=read)
    return bool(inexact)


def _digits(number: str) -> str:
    """Return the digits of a number without its sign, point, exponent and zeros at both ends."""
    return re.split("[eE]", number)[0].replace(".", "").strip("-0")


def with_exact_numbers(
    connection: duckdb.DuckDBPyConnection, lines: "pa.Array[Any]"
) -> ExactNumbers:
    """Return the lines with every fraction that no double holds written as a string.

    Args:
        connection: any DuckDB connection.
        lines: one JSON document each; what is no JSON may come back as anything.
    """
    suspects = pc.indices_nonzero(pc.match_substring_regex(lines, _SUSPECT))
    if not len(suspects):
        return ExactNumbers(lines, False)
    taken: Any = {"position": suspects, "line": lines.take(suspects)}
    connection.register("suspects", pa.Table.from_pydict(taken))
    at = connection.execute(_POSITIONS).to_arrow_table()["position"]
    if not len(at):
        return ExactNumbers(lines, False)
    read: Any = lines.take(at)
    connection.register("lines", pa.Table.from_pydict({"line": read}))
    written: Any = connection.execute(_WRITTEN).to_arrow_table()["line"].cast(lines.type)
    # Not if all were inside of strings.
    changed = not pc.all(pc.equal(written, read)).as_py()
    is_written = pc.is_in(pa.array(range(len(lines)), at.type), at)
    return ExactNumbers(pc.replace_with_mask(lines, is_written, written.combine_chunks()), changed)
