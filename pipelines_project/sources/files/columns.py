"""The columns of a month's rows: one name and one type each, over all of its files.

Two files that contradict in a type are read as text, from which the type is told anew.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import duckdb
from dlt.common.normalizers.naming import NamingConvention

from pipelines_project.sources.files.parts import LINE, Part, column, literal, quoted
from pipelines_project.sources.files.settings import PROVENANCE, FileSettings
from pipelines_project.sources.files.text_types import TEXT, TextType, declared_type, told_types
from pipelines_project.sources.http.api_calls import SourceError
from pipelines_project.sources.typed_rows.names import RESERVED, named

FILE = "#file"
PATH = "#path"
_SAMPLED_FILES, _SAMPLED_ROWS = 8, 5_000

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
_NESTED = re.compile(r".*(\[\d*\]|\))|JSON|VARIANT")
_NANOSECONDS = TextType(
    "TIMESTAMP",
    "cast({x} as TIMESTAMP)",
    "cast({v} as TIMESTAMP_NS) is not distinct from {x}",
)
_NANOSECOND_TYPES = [_NANOSECONDS]
_NS_AS_TEXT = TextType("VARCHAR", "cast({x} as VARCHAR)", "true")


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
        SourceError: the settings name a column that no file has.
    """
    read: dict[str, set[str]] = {}
    for part in parts:
        for name, kind in zip(part.columns, part.types, strict=True):
            read.setdefault(name, set()).add(_landed(kind))
    read |= {name: {"VARCHAR"} for name in settings.folder.variables if parts}
    reserved = (*RESERVED, *(PROVENANCE if settings.provenance else ()))
    paths = named([(name,) for name in read], naming, reserved)
    columns = [_column(settings, name, path[0], read[path[0]]) for name, path in paths.items()]
    known = {each for column in columns for each in (column.name, column.source)}
    asked = [*settings.types, *([settings.month_column] if settings.month_column else [])]
    if parts and (missing := [name for name in asked if name not in known]):
        raise SourceError(
            f"no file of {settings.table} has the column {', '.join(missing)}: there are "
            f"{', '.join(column.source for column in columns)}. Nothing was landed: correct types "
            "or month_column, or mend the file"
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


def relation(
    settings: FileSettings,
    columns: Sequence[Column],
    parts: Sequence[Part],
    *,
    is_numbered: bool = True,
) -> str:
    """Return the query of the parts' rows, with the columns as they are read."""
    if not parts:
        own = {FILE: "0", PATH: "''", LINE: "cast(0 as bigint)"}
        return f"select {', '.join(f'{v} as {quoted(n)}' for n, v in own.items())} where false"
    return " union all ".join(
        f"select {', '.join(_selected(settings, columns, part))} "
        f"from ({part.query if is_numbered else part.unnumbered})"
        for part in parts
    )


def sample(settings: FileSettings, columns: Sequence[Column], parts: Sequence[Part]) -> str:
    """Return the query of the first rows of the first parts."""
    if not parts:
        return relation(settings, columns, parts)
    return " union all ".join(
        f"(select * from ({relation(settings, columns, [part], is_numbered=False)}) "
        f"limit {_SAMPLED_ROWS})"
        for part in parts[:_SAMPLED_FILES]
    )


def _selected(settings: FileSettings, columns: Sequence[Column], part: Part) -> list[str]:
    at = {name: index for index, name in enumerate(part.columns)}
    values = settings.folder.values(part.file)
    selected = [
        f"{part.index} as {quoted(FILE)}",
        f"{literal(part.file.path)} as {quoted(PATH)}",
        quoted(LINE),
    ]
    for each in columns:
        if each.source in at:
            index = at[each.source]
            value = _read_as(column(index), part.types[index], each.read)
        elif each.source in values:
            value = literal(values[each.source])
        else:
            value = f"cast(null as {each.read})"
        selected.append(f"{value} as {quoted(each.name)}")
    return selected


def _read_as(value: str, kind: str, read: str) -> str:
    if kind == read:
        return value
    if _NESTED.fullmatch(kind) and not kind.startswith(("DECIMAL", "ENUM")):
        return f"cast(to_json({value}) as varchar)"
    return f"cast({value} as {read})"


def told(
    connection: duckdb.DuckDBPyConnection, rows: str, columns: Sequence[Column]
) -> tuple[list[Column], set[str]]:
    """Return the columns with their types, and the names of those that are null in every row.

    Args:
        connection: to DuckDB.
        rows: the query of the rows.
        columns: whose types are told if they have none.
    """
    if not columns:
        return [], set()
    some = ", ".join(f"cast(any_value({quoted(c.name)}) as varchar)" for c in columns)
    values = connection.execute(f"select {some} from ({rows})").fetchone() or ()
    vacant = {c.name for c, value in zip(columns, values, strict=True) if value is None}
    possible = {
        each.name: _NANOSECOND_TYPES if each.read == "TIMESTAMP_NS" else told_types(str(value))
        for each, value in zip(columns, values, strict=True)
        if each.type is None and value is not None
    }
    fits = _fitting(connection, rows, possible)
    return [replace(c, type=c.type or fits.get(c.name, _fallback(c))) for c in columns], vacant


def _fitting(
    connection: duckdb.DuckDBPyConnection, rows: str, possible: Mapping[str, Sequence[TextType]]
) -> dict[str, TextType]:
    """Return, of each column's types, the first that every row fits."""
    found: dict[str, TextType] = {}
    # A type further back is tried only where none before it fits.
    for rank in range(max(map(len, possible.values()), default=0)):
        tried = {
            name: types[rank]
            for name, types in possible.items()
            if name not in found and rank < len(types)
        }
        fits = (
            each.fits(quoted(name), each.value_of(quoted(name))) for name, each in tried.items()
        )
        misfits = ", ".join(f"count(*) filter (not {fit})" for fit in fits)
        if misfits:
            counts = connection.execute(f"select {misfits} from ({rows})").fetchone() or ()
            found |= {name: tried[name] for name, n in zip(tried, counts, strict=True) if not n}
    return found


def _fallback(column: Column) -> TextType:
    return _NS_AS_TEXT if column.read == "TIMESTAMP_NS" else TEXT
