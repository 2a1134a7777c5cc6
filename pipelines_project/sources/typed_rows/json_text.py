"""Values as text, with nothing lost: what a column of several types holds."""

import base64
import json
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID


def json_text(value: Any) -> str:
    """Return a string as it is, and any other value as its JSON text without spaces.

    What JSON has no form for is the string that `plain` makes of it, without quotes.

    Raises:
        TypeError: the value, or one inside of it, is of a type that no column takes.
        ValueError: it holds itself, or is nested too deeply.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool | int | float | list | tuple | dict):
        try:
            return _ENCODER.encode(value)
        except RecursionError:
            raise ValueError("it is nested too deeply") from None
    return plain(value)


def plain(value: Any) -> str:
    """Return the text of a value that JSON has no form for.

    Raises:
        TypeError: the value is of a type that no column takes.
    """
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return _duration(value)
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, Decimal | UUID):
        return str(value)
    raise TypeError(f"a value of the type {type(value).__name__}")


# The standard library's, because it writes integers of any size, and NaN not as null.
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=plain)


def _duration(value: timedelta) -> str:
    """Return a duration by ISO 8601, in seconds."""
    microseconds = abs(value) // timedelta(microseconds=1)
    seconds, rest = divmod(microseconds, 1_000_000)
    sign = "-" if value < timedelta() else ""
    fraction = f".{rest:06}".rstrip("0") if rest else ""
    return f"PT{sign}{seconds}{fraction}S"
