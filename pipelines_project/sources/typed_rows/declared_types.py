"""The type of a column that its source declares, and which values fit it.

What fits is written as it is, or in the declared type's own form if that says the same: "12" and
12.0 are the integer 12, an ISO text is a timestamp. Anything else is refused: dlt would put it into
a column of its own, or write 9.7 as text and 5 as true.
"""

import json
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import Any

from dlt.common.data_types import coerce_value
from dlt.common.destination.capabilities import DestinationCapabilitiesContext
from dlt.common.libs.pyarrow import get_py_arrow_datatype
from dlt.common.schema.typing import TColumnSchema

from pipelines_project.sources.typed_rows.column_types import ColumnType
from pipelines_project.sources.typed_rows.json_text import json_text

_NUMBER = re.compile(r"\s*[-+]?\d+(\.\d+)?([eE][-+]?\d+)?\s*", re.ASCII)
_BELOW_MICROSECONDS = re.compile(r"\.\d{6}\d*[1-9]", re.ASCII)
_BOOLEANS = {"true": True, "false": False}
_TAKEN: dict[str, tuple[type, ...]] = {
    "text": (str,),
    "bigint": (int,),
    "double": (float, int),
    "bool": (bool,),
    "date": (date,),
    "time": (time,),
    "timestamp": (datetime,),
    "binary": (bytes,),
}


def declared_type(column: TColumnSchema) -> ColumnType | None:
    """Return the type of a declared column, or None if only other hints of it are declared."""
    data_type = column.get("data_type")
    if data_type is None:
        return None
    capabilities = DestinationCapabilitiesContext.generic_capabilities("parquet")
    # It would take the nested type of Arrow, which no column of a row has.
    plain: Any = {hint: value for hint, value in column.items() if hint != "x-nested-type"}
    arrow = get_py_arrow_datatype(plain, capabilities, "UTC")
    if data_type in ("decimal", "wei"):
        converted = partial(_decimal, arrow.scale)
    elif data_type == "timestamp":
        converted = partial(_timestamp, arrow.tz)
    else:
        converted = _CONVERTED[data_type]
    taken = frozenset({*_TAKEN.get(data_type, ()), type(None)})
    return ColumnType(arrow, taken, converted, data_type)


def _number(value: Any) -> Decimal:
    """Return the number that a value is, or that its text says."""
    is_number = isinstance(value, int | float | Decimal) and not isinstance(value, bool)
    if not is_number and not (isinstance(value, str) and _NUMBER.fullmatch(value)):
        raise ValueError("it is no number")
    try:
        return Decimal(value) if not isinstance(value, float) else Decimal(repr(value))
    except InvalidOperation:
        raise ValueError("it is no number") from None


def _bigint(value: Any) -> int:
    number = _number(value)
    if not number.is_finite() or number != number.to_integral_value():
        raise ValueError("it is no integer")
    return int(number)


def _double(value: Any) -> float:
    number = _number(value)
    double = float(number)
    if number.is_finite() and Decimal(repr(double)) != number:
        raise ValueError("it has more digits than a double keeps")
    return double


def _decimal(scale: int, value: Any) -> Decimal:
    number = _number(value)
    if not number.is_finite():
        raise ValueError("it is no finite number")
    exponent = number.normalize().as_tuple().exponent
    if isinstance(exponent, int) and -exponent > scale:
        raise ValueError(f"it has more than {scale} digits after the point")
    return number


def _bool(value: Any) -> bool:
    if isinstance(value, str):
        value = _BOOLEANS.get(value.lower(), value)
    if isinstance(value, bool | int) and value in (0, 1):
        return bool(value)
    raise ValueError("it is neither true nor false")


def _timestamp(zone: str | None, value: Any) -> datetime:
    """Return the instant; a number is in Unix seconds, and without a zone UTC is meant."""
    if isinstance(value, str) and _BELOW_MICROSECONDS.search(value):
        raise ValueError("it is finer than microseconds")
    moment = _coerced("timestamp", value)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment if zone else moment.astimezone(UTC).replace(tzinfo=None)


def _date(value: Any) -> date:
    day = _coerced("date", value)
    if not isinstance(value, date) or isinstance(value, datetime):
        moment = _coerced("timestamp", value)
        if moment.time() != time():
            raise ValueError("it has a time of day")
    return day


def _time(value: Any) -> time:
    if isinstance(value, str) and _BELOW_MICROSECONDS.search(value):
        raise ValueError("it is finer than microseconds")
    return _coerced("time", value)


def _json(value: Any) -> str:
    """Return JSON text; a string must be JSON text already, as dlt takes it."""
    if isinstance(value, str):
        json.loads(value)
        return value
    return json_text(value)


def _coerced(data_type: Any, value: Any) -> Any:
    kinds = {str: "text", int: "bigint", float: "double", datetime: "timestamp", date: "date"}
    kinds |= {bytes: "binary", time: "time"}
    kind: Any = next((kind for base, kind in kinds.items() if isinstance(value, base)), None)
    if kind is None or isinstance(value, bool):
        raise ValueError(f"it is no {data_type}")
    return coerce_value(data_type, kind, value)


_CONVERTED: dict[str, Callable[[Any], Any]] = {
    "text": json_text,
    "bigint": _bigint,
    "double": _double,
    "bool": _bool,
    "date": _date,
    "time": _time,
    "binary": partial(_coerced, "binary"),
    "json": _json,
}
