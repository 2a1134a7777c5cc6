"""Which keys rows have, at which place, and of what kinds their values are."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import cache
from itertools import chain
from typing import Any
from uuid import UUID

from pipelines_project.sources.json.shape import MAX_COLUMN_LEVELS, MAX_KEYS

Row = dict[str, Any]

OBJECT = "object"
_KINDS: dict[type, str] = {
    bool: "bool",
    int: "integer",
    float: "float",
    str: "text",
    Decimal: "decimal",
    datetime: "timestamp",
    date: "date",
    time: "time",
    timedelta: "duration",
    bytes: "binary",
    UUID: "uuid",
    list: "list",
    tuple: "list",
    dict: OBJECT,
}


class UnfitError(Exception):
    """What in a row cannot land; the path of its keys and the reason."""

    def __init__(self, path: tuple[str, ...], reason: str) -> None:
        """Say where and why."""
        super().__init__(reason)
        self.path, self.reason = path, reason


@cache
def kind_of(python_type: type) -> str | None:
    """Return the kind of a type's values, or None if no column takes them."""
    # The order matters: a bool is an integer to Python, and a timestamp is a date.
    return next((kind for base, kind in _KINDS.items() if issubclass(python_type, base)), None)


class Survey:
    """What was seen at one place of the rows.

    Attributes:
        kinds: of the values that are not null; `timestamp` and `time` with a zone are `…_zoned`.
        keys: what was seen below, by key; empty if the objects are a map or too deep.
        lowest, highest: of the integers.
        whole, fraction: the most digits before and after the point of the decimals.
    """

    def __init__(self, path: tuple[str, ...] = ()) -> None:
        """Have seen nothing yet."""
        self.path = path
        self.kinds: set[str] = set()
        self.keys: dict[str, Survey] = {}
        self.lowest = self.highest = 0
        self.whole = self.fraction = 0
        self._is_map = len(path) > MAX_COLUMN_LEVELS

    def see(self, values: Sequence[Any]) -> None:
        """Note the kinds of values.

        Raises:
            UnfitError: a value is of a type that no column takes.
        """
        by_kind: dict[str, set[type]] = {}
        for python_type in set(map(type, values)) - {type(None)}:
            kind = kind_of(python_type)
            if kind is None:
                raise UnfitError(self.path, f"a value of the type {python_type.__name__}")
            by_kind.setdefault(kind, set()).add(python_type)
        for kind, types in by_kind.items():
            note = _NOTES.get(kind)
            if note is None:
                self.kinds.add(kind)
            else:
                note(self, [value for value in values if type(value) in types])

    def see_objects(self, objects: Sequence[Row]) -> None:
        """Note the keys of objects and the kinds of their values.

        An object with more different keys than `MAX_KEYS` is a map, whose keys are data.

        Raises:
            UnfitError: a key is no string, or a value is of a type that no column takes.
        """
        self.kinds.add(OBJECT)
        if self._is_map:
            return
        keys: Iterable[Any] = chain.from_iterable(objects)
        found = dict.fromkeys(keys)
        for key in found:
            if not isinstance(key, str):
                raise UnfitError(self.path, f"the key {key!r}, which is no string")
        if self.path and len(self.keys | found) > MAX_KEYS:
            self._is_map = True
            self.keys.clear()
            return
        for key in found:
            below = self.keys.get(key) or self.keys.setdefault(key, Survey((*self.path, key)))
            below.see([each.get(key) for each in objects])

    def see_integers(self, values: list[int]) -> None:
        """Take note of integers."""
        self.kinds.add("integer")
        self.lowest = min(self.lowest, *values)
        self.highest = max(self.highest, *values)

    def see_decimals(self, values: list[Decimal]) -> None:
        """Take note of decimals."""
        if not all(value.is_finite() for value in values):
            self.kinds.add("infinite")
            values = [value for value in values if value.is_finite()]
        self.kinds.add("decimal")
        for value in values:
            _, digits, exponent = value.as_tuple()
            assert isinstance(exponent, int)
            self.whole = max(self.whole, len(digits) + exponent)
            self.fraction = max(self.fraction, -exponent)

    def see_times(self, values: list[Any]) -> None:
        """Take note of times, or of timestamps."""
        kind = "timestamp" if isinstance(values[0], datetime) else "time"
        zoned = {value.utcoffset() is not None for value in values}
        self.kinds |= {f"{kind}_zoned" if each else kind for each in zoned}


_NOTES: dict[str, Any] = {
    OBJECT: Survey.see_objects,
    "integer": Survey.see_integers,
    "decimal": Survey.see_decimals,
    "timestamp": Survey.see_times,
    "time": Survey.see_times,
}
