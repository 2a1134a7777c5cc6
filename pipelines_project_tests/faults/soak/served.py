"""What the soak's services serve: rows that say which version of which part they are.

A part is what a service answers at once: a player's month, a month's companies, or one file. Every
version of a part has rows of its own, made from its number, so that whoever reads some of them can
tell whether they are all of one version.
"""

import time
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from pipelines_project_tests.faults.live_data import Rows

Content = Counter[tuple[Any, ...]]

MONTHS = [f"2024-{number:02d}" for number in range(1, 7)]
_COLUMNS = ("part", "number", "version", "score", "league")


class Part(NamedTuple):
    """A part of what a source serves of a month."""

    source: str
    month: str
    name: str

    @property
    def key(self) -> str:
        """What its rows say they are a part of."""
        return f"{self.month} {self.name}"


PARTS = [
    Part(source, month, name)
    for source, names in {
        "chess": ("hikaru", "erik"),
        "freshdesk": ("companies",),
        "local_jsonl": ("1", "2"),
    }.items()
    for name in names
    for month in MONTHS
]


def rows(part: Part, version: int) -> list[dict[str, Any]]:
    """Return the rows of a version: their number, a type and a column change from one to another.

    Rows of a help desk do not go, because a table that is merged keeps them.
    """
    more = min(version, 6) if part.source == "freshdesk" else version % 7
    return [
        {
            "part": part.key,
            "number": number,
            "version": version,
            "score": number if version % 2 else number + 0.5,
            **({"league": f"{version}.{number}"} if version % 3 == 0 else {}),
        }
        for number in range(10 + more)
    ]


def content(found: Iterable[Mapping[str, Any]]) -> Content:
    """Return what is compared of rows, however many other columns they have."""
    return Counter(_values(row) for row in found)


def _values(row: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return the compared values; dlt puts those of a second type into a column beside the first.

    That is so where one player's numbers are whole and another's in the same month are not.
    """
    return tuple(row.get(name, row.get(f"{name}__v_double")) for name in _COLUMNS)


def content_by_part(found: Rows | None) -> dict[str, Content]:
    """Return the same of rows that were counted, by the key of their part."""
    parts: dict[str, Content] = {}
    for row, times in (found or Counter()).items():
        key = _values(dict(row))
        parts.setdefault(str(key[0]), Counter())[key] += times
    return parts


def version_of(part: Part, found: Content) -> int:
    """Return the version that the rows are, all of it and nothing else.

    Raises:
        AssertionError: they are not one whole version.
    """
    versions = sorted({row[2] for row in found})
    assert len(versions) == 1, f"{part.source} {part.key} is a mixture of versions {versions}"
    lost, doubled = difference(part, versions[0], found)
    assert not lost, f"{part.source} {part.key}: {lost} rows of version {versions[0]} are lost"
    assert not doubled, f"{part.source} {part.key}: {doubled} rows too many"
    return versions[0]


def difference(part: Part, version: int, found: Content) -> tuple[int, int]:
    """Return how many rows of the version are lost, and how many there are that are not its own."""
    expected = content(rows(part, version))
    return (expected - found).total(), (found - expected).total()


class Versions:
    """Which version of each part is served, and since when."""

    def __init__(self) -> None:
        """Serve the first version of everything."""
        self._since: dict[Part, list[float]] = {part: [0.0] for part in PARTS}

    def current(self, part: Part) -> int:
        """Return the version that is served now."""
        return len(self._since[part])

    def at(self, part: Part, moment: float) -> int:
        """Return the version that was served at a moment, in seconds since 1970."""
        return bisect_right(self._since[part], moment)

    def advance(self, part: Part) -> None:
        """Serve the next version from now on."""
        self._since[part].append(time.time())

    def total(self) -> int:
        """Return how many versions there have been."""
        return sum(map(len, self._since.values()))
