"""Names for tables that are called differently where they come from."""

import re
from collections.abc import Container

_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_OTHER = re.compile(r"[^a-z0-9]+")
_LONGEST = 50


def words(text: str) -> list[str]:
    """Return the words of a name, in small letters: `createdAt` and `created_at` have the same."""
    return [word for word in _OTHER.split(_HUMP.sub("_", text).lower()) if word]


def table_name(text: str, taken: Container[str]) -> str:
    """Return the name of a table that is called so, and that no other has."""
    name = "_".join(words(text))[:_LONGEST].rstrip("_")
    if not name[:1].isalpha():
        name = f"table_{name}".rstrip("_")
    if name.endswith("_quarantine"):
        name += "_rows"
    numbered, number = name, 2
    while numbered in taken:
        numbered, number = f"{name}_{number}", number + 1
    return numbered
