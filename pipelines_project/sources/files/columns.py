"""The columns of a month's rows: one name and one type each, over all of its files.

Two files that contradict in a type are read as text, from which the type is told anew.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from dlt.common.normalizers.naming import NamingConvention

from pipelines_project.names import DLT_COLUMNS
from pipelines_project.sources.files.parts import Part
from pipelines_project.sources.files.settings import PROVENANCE, FileSettings
from pipelines_project.sources.files.text_types import TEXT, TextType, declared_type
from pipelines_project.sources.http.api_calls import SourceError
from pipelines_project.sources.typed_rows.names import named
from pipelines_project.sql_text import quoted

_AS_THEY_ARE = "BOOLEAN|BIGINT|DOUBLE|VARCHAR|BLOB|DATE|TIME|TIMESTAMP( WITH TIME ZONE)?|DECIMAL.*"
_LANDED = {
    "TINYINT": "BIGINT",
    "SMALLINT": "BIGINT",
    "INTEGER": "BIGINT",
    "UTINYINT": "BIGINT",
    "USMALLINT": "BIGINT",
    "UINTEGER": "BIGINT",
    "UBIGINT": "DECIMAL(38,0)",
    "HUGEINT": "DECIMAL(38,0)",
    "UHUGEINT": "DECIMAL(38,0)",
    "FLOAT": "DOUBLE",
    "TIMESTAMP_S": "TIMESTAMP",
    "TIMESTAMP_MS": "TIMESTAMP",
}


@dataclass(frozen=True)
class Column:
    """A column of a month.

    Attributes:
        name: what it is called.
        source: what the files call it.
        read: the DuckDB type in which it is read.
        type: what is made of that; None if it is to be told by the values.
    """

    name: str
    source: str
    read: str
    type: TextType | None = None

    @property
    def value(self) -> str:
        """The SQL of its value."""
        return (self.type or TEXT).value_of(quoted(self.name))

    @property
    def fits(self) -> str:
        """The SQL that tells whether it has a value that says all that was read."""
        return (self.type or TEXT).fits(quoted(self.name), self.value)


def columns_of(
    settings: FileSettings, parts: Sequence[Part], naming: NamingConvention
) -> list[Column]:
    """Return the columns of the parts, in the order in which they first come.

    Raises:
        SourceError: the settings name a column that no file has, or choose a name for one that
            another has.
    """
    read: dict[str, set[str]] = {}
    for part in parts:
        for name, kind in zip(part.columns, part.types, strict=True):
            read.setdefault(name, set()).add(_landed(kind))
    read |= {name: {"VARCHAR"} for name in settings.folder.variables if parts}
    reserved = (*DLT_COLUMNS, *(PROVENANCE if settings.provenance else ()))
    paths = named([(name,) for name in read], naming, settings.column_names, reserved)
    columns = [_column(settings, name, path[0], read[path[0]]) for name, path in paths.items()]
    known = {each for column in columns for each in (column.name, column.source)}
    asked = [*settings.types, *([settings.month_column] if settings.month_column else [])]
    if parts and (missing := [name for name in asked if name not in known]):
        raise SourceError(
            f"no file of {settings.table} has the column {', '.join(missing)}: there are "
            f"{', '.join(column.source for column in columns)}. Nothing was landed: correct types "
            "or month_column, set start_row if the header stands further down, or mend the file"
        )
    return columns


def _column(settings: FileSettings, name: str, source: str, kinds: set[str]) -> Column:
    declared = settings.types.get(source) or settings.types.get(name)
    if declared:
        return Column(name, source, "VARCHAR", declared_type(declared))
    if len(kinds) > 1:
        # Where one file has text, numbers of others are text too.
        return Column(name, source, "VARCHAR", TEXT if "VARCHAR" in kinds else None)
    (kind,) = kinds
    if kind == "VARCHAR":
        is_told = settings.format in ("csv", "tsv") and source not in settings.folder.variables
        return Column(name, source, kind, None if is_told else TEXT)
    if kind == "TIMESTAMP_NS":
        return Column(name, source, kind)
    return Column(name, source, kind, TextType(kind, "{x}", "true"))


def _landed(kind: str) -> str:
    """Return the type in which a column of a file is read: one that the warehouse takes."""
    if kind in _LANDED:
        return _LANDED[kind]
    if kind == "TIMESTAMP_NS" or re.fullmatch(_AS_THEY_ARE, kind):
        return kind
    # INTERVAL, UUID, ENUM and others, and what is nested.
    return "VARCHAR"
