"""The types that Glue has for the columns of landed files."""

import re
from collections.abc import Mapping

from pipelines_project.names import MONTH_COLUMN

_TYPES = {
    "bool": "boolean",
    "int8": "int",
    "int16": "int",
    "int32": "int",
    "int64": "bigint",
    "float": "float",
    "double": "double",
    "string": "string",
    "large_string": "string",
    "binary": "binary",
    "large_binary": "binary",
    "date32[day]": "date",
}
_DECIMAL = re.compile(r"decimal(?:32|64|128)\((\d+), (\d+)\)")
_TIMESTAMP = re.compile(r"timestamp\[(?:ms|us|ns)(?:, tz=[^]]+)?\]")
_NAME = re.compile(r"[a-z0-9_]{1,255}")
_WIDER = {"int": "bigint", "float": "double"}


def glue_type(arrow_type: str) -> str | None:
    """Return the Glue type by which Athena reads a parquet column, None if it has none.

    A time with a zone is an instant, which Athena shows in UTC.
    """
    if decimal := _DECIMAL.fullmatch(arrow_type):
        return f"decimal({decimal[1]},{decimal[2]})"
    if _TIMESTAMP.fullmatch(arrow_type):
        return "timestamp"
    return _TYPES.get(arrow_type)


def readable_columns(types: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """Return the Glue type of each column that Athena can read, and why it cannot read the others.

    Args:
        types: the Arrow type of each column in the files.
    """
    found, left_out = dict[str, str](), list[str]()
    for name, arrow_type in types.items():
        kind = glue_type(arrow_type)
        if name == MONTH_COLUMN:
            left_out.append(f"{name}: the partition has this name")
        elif not _NAME.fullmatch(name):
            left_out.append(f"{name}: Glue takes names of a-z, 0-9 and _ only")
        elif kind is None:
            left_out.append(f"{name}: Athena has no type for {arrow_type}")
        else:
            found[name] = kind
    return found, left_out


def is_read_as(kind: str, column: str) -> bool:
    """Tell whether Athena reads files of a Glue type by a column of another, or the same."""
    return column in (kind, _WIDER.get(kind))
