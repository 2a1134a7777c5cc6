"""The one type of a column: the declared one, or what holds every value that was seen."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

import pyarrow as pa

from pipelines_project.sources.json.exact_numbers import LONG_INTEGER
from pipelines_project.sources.typed_rows.json_text import json_text
from pipelines_project.sources.typed_rows.survey import Survey

_TEXT_ONLY = {str, type(None)}
_DIGITS = 38
# dlt's scale, which most months' decimals fit, so that their types are alike.
_SCALE = 9


@dataclass(frozen=True)
class ColumnType:
    """How a column's values are stored.

    Attributes:
        arrow: the type.
        taken: the Python types that Arrow takes for it as they are.
        converted: what any other value becomes; raises `ValueError` for one that does not fit.
        declared: the dlt data type, if the source declares the column.
    """

    arrow: pa.DataType
    taken: frozenset[type]
    converted: Callable[[Any], Any]
    declared: str = ""

    def array(self, values: list[Any]) -> "pa.Array[Any]":
        """Return the values as an Arrow array.

        Raises:
            ValueError, TypeError, OverflowError, pa.ArrowException: one of them does not fit.
        """
        types = set(map(type, values))
        if types <= _TEXT_ONLY and pa.types.is_timestamp(self.arrow):
            with suppress(pa.ArrowInvalid):
                # Much faster; what Arrow reads otherwise than it is written, it does not read.
                return pa.array(values, pa.string()).cast(self.arrow)
        if not types <= self.taken:
            values = [
                value if type(value) in self.taken else self.converted(value) for value in values
            ]
        return pa.array(values, self.arrow)


def _same(value: Any) -> Any:
    return value


def _taking(arrow: pa.DataType, *taken: type, converted: Callable[[Any], Any] = _same) -> Any:
    return ColumnType(arrow, frozenset({*taken, type(None)}), converted)


TEXT = _taking(pa.large_string(), str, converted=json_text)
_BIGINT = _taking(pa.int64(), int)
_DOUBLE = _taking(pa.float64(), float, int)
_PLAIN = {
    "bool": _taking(pa.bool_(), bool),
    "float": _DOUBLE,
    "timestamp": _taking(pa.timestamp("us"), datetime),
    "timestamp_zoned": _taking(pa.timestamp("us", "UTC"), datetime),
    "date": _taking(pa.date32(), date),
    "time": _taking(pa.time64("us"), time),
    "binary": _taking(pa.large_binary(), bytes),
}


def found_type(seen: Survey) -> ColumnType:
    """Return the type that holds every value that was seen, as text if no other does.

    An integer beyond 64 bits, and one beyond 2^53 beside fractions, is text, as in JSON lines. So
    are timestamps of which only some have a zone, and what dlt has no type for.
    """
    match tuple(sorted(seen.kinds)):
        case ("integer",) if seen.lowest >= -(2**63) and seen.highest < 2**63:
            return _BIGINT
        case ("float", "integer") if max(-seen.lowest, seen.highest) <= LONG_INTEGER:
            return _DOUBLE
        case ("decimal",) | ("decimal", "integer"):
            return _decimal(seen)
        case (kind,):
            return _PLAIN.get(kind, TEXT)
        case _:
            return TEXT


def _decimal(seen: Survey) -> ColumnType:
    integers = max(len(str(abs(seen.lowest))), len(str(abs(seen.highest))))
    whole = max(seen.whole, integers)
    scale = max(seen.fraction, min(_SCALE, _DIGITS - whole))
    if whole + scale > _DIGITS:
        return TEXT
    return _taking(pa.decimal128(_DIGITS, scale), Decimal, converted=Decimal)
