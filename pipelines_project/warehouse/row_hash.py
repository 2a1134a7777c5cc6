"""The hash of a landed row, by which versions of a row are told apart, as SQL for DuckDB."""

from collections.abc import Mapping

from pipelines_project.landing.read_files import ADDED_BY_DLT
from pipelines_project.sql_text import literal, quoted

_FRACTIONAL = ("FLOAT", "DOUBLE", "DECIMAL")
# The zeros at a fraction's end, which hang on the column's type.
_ZEROS = r"'\.0*$|(\.[0-9]*[1-9])0+$', '\1'"


def row_hash(types: Mapping[str, str]) -> str:
    """Return the SQL of the hash of a row of landed files.

    It is the same for rows that state the same, in whatever load: a column without a value counts
    as one that is not there, 1 is 1.0, and what dlt adds to a row is left out. It does not hang on
    the version of DuckDB.

    Args:
        types: of the files' columns.
    """
    parts = [_part(name, types[name]) for name in sorted({*types} - {*ADDED_BY_DLT})]
    return f"md5(concat('', {', '.join(parts)}))" if parts else "md5('')"


def _part(name: str, sql_type: str) -> str:
    """Return the SQL of what a column adds to its row's text: nothing, or name, length and value.

    The length keeps a value from being taken for what the next columns add.
    """
    text = _text(quoted(name), sql_type)
    return f"{literal(f'{len(name)} {name} ')} || strlen({text}) || ' ' || {text}"


def _text(column: str, sql_type: str) -> str:
    if not sql_type.startswith(_FRACTIONAL):
        return f"cast({column} as varchar)"
    number = f"cast({column} as double)" if sql_type == "FLOAT" else column
    return f"regexp_replace(cast({number} as varchar), {_ZEROS})"
