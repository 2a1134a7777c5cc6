"""Columns that a document declares: names as dlt writes them, with dlt's types."""

import re
from collections.abc import Mapping
from typing import Any, get_args

from dlt.common.data_types import TDataType

_NAME = re.compile(r"[a-z_][a-z0-9_]{0,249}")
_TYPE = re.compile(r"(\w+)(?:\((\d+)(?:, *(\d+))?\))?")
_TYPES: tuple[str, ...] = tuple(each for each in get_args(TDataType) if each != "wei")


def declared_columns(columns: Mapping[str, str]) -> dict[str, Any]:
    """Return dlt's hints for columns by their types, such as `decimal(12, 2)`.

    Raises:
        ValueError: a name or a type is not one; it quotes it, and says what would be right.
    """
    return {name: _hints(name, kind) for name, kind in columns.items()}


def _hints(name: str, kind: str) -> dict[str, Any]:
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name[:80]!r} is no column: write it as it lands, in a-z, 0-9 and _")
    match = _TYPE.fullmatch(kind)
    if not match or match[1] not in _TYPES or (match[2] and match[1] != "decimal"):
        raise ValueError(
            f"{kind[:80]!r} of {name} is no type; there are {', '.join(_TYPES)}, decimal(12, 2)"
        )
    hints: dict[str, Any] = {"name": name, "data_type": match[1]}
    if match[2]:
        hints |= {"precision": int(match[2]), "scale": int(match[3] or 0)}
    return hints
