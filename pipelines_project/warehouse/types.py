"""What becomes of a column whose type differs between the warehouse and a new month.

Casts are never left to the database: they turn '007' into 7 and 1.6 into 2. A type is widened only
to one that holds every value as it is, and text is the last resort for single values.
"""

import re
from collections.abc import Callable

_INTEGERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT")
_UNSIGNED = ("UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT")
_FLOATS = ("FLOAT", "DOUBLE")
_DECIMAL = re.compile(r"DECIMAL\((\d+),(\d+)\)")
_TEXTUAL = (*_INTEGERS, *_UNSIGNED, *_FLOATS, "BOOLEAN", "DATE", "TIMESTAMP", "UUID", "TIME")


class IrreconcilableTypesError(Exception):
    """No type holds both the column's old and its new values."""


def widened_type(have: str, new: str, survives: Callable[[str], bool]) -> str:
    """Return the DuckDB type that holds the values of both types unchanged.

    Args:
        have: the column's type in the warehouse.
        new: the column's type in the month to be loaded.
        survives: tells whether every value, old and new, comes back from a given type unchanged.

    Raises:
        IrreconcilableTypesError: for types that have no common one, such as a time and a number.
    """
    if have == new:
        return have
    if "VARCHAR" in (have, new) and _is_text_safe(have) and _is_text_safe(new):
        return "VARCHAR"
    if (have == "BOOLEAN" and _is_number(new)) or (new == "BOOLEAN" and _is_number(have)):
        return "VARCHAR"
    if not (_is_number(have) and _is_number(new)):
        raise IrreconcilableTypesError(f"{have} and {new}")
    candidate = _wider_number(have, new)
    return candidate if survives(candidate) else "VARCHAR"


def lost_value(value: str, have: str, *types: str) -> str:
    """Return the SQL that tells whether a value would be another one in given types, or none.

    A text need only be another spelling of the new value: `007` is the number 7.

    Args:
        value: the SQL of the value.
        have: its type.
        types: to which it is cast, one after the other.
    """
    steps: list[str] = []
    for new in types:
        steps.append(_lost(value, have, new))
        value, have = f"try_cast({value} as {new})", new
    return " or ".join(steps)


def _lost(value: str, have: str, new: str) -> str:
    changed = f"try_cast({value} as {new})"
    if have != "VARCHAR":
        return f"try_cast({changed} as {have}) is distinct from {value}"
    is_other = f"{changed} is null"
    if _is_number(new):
        is_other += f" or cast({changed} as double) is distinct from try_cast({value} as double)"
    return f"({value} is not null and ({is_other}))"


def _wider_number(have: str, new: str) -> str:
    if have in _INTEGERS and new in _INTEGERS:
        return max(have, new, key=_INTEGERS.index)
    if have in _UNSIGNED and new in _UNSIGNED:
        return max(have, new, key=_UNSIGNED.index)
    if {have, new} <= {*_INTEGERS, *_UNSIGNED}:
        return "HUGEINT"
    if {have, new} & {*_FLOATS}:
        return "DOUBLE"
    whole, fraction = max(_digits(have)[0], _digits(new)[0]), max(_digits(have)[1], _digits(new)[1])
    return f"DECIMAL({min(whole + fraction, 38)},{fraction})"


def _digits(number_type: str) -> tuple[int, int]:
    """Return the digits before and after the point that the type can hold."""
    if match := _DECIMAL.fullmatch(number_type):
        return int(match[1]) - int(match[2]), int(match[2])
    return (38 if number_type == "HUGEINT" else 20), 0


def _is_number(sql_type: str) -> bool:
    return sql_type in (*_INTEGERS, *_UNSIGNED, *_FLOATS) or bool(_DECIMAL.fullmatch(sql_type))


def _is_text_safe(sql_type: str) -> bool:
    is_scalar = sql_type in (*_TEXTUAL, "VARCHAR", "TIMESTAMP WITH TIME ZONE")
    return is_scalar or bool(_DECIMAL.fullmatch(sql_type))
