"""The names of a table's columns, as dlt makes them of the keys that lead to their values."""

from collections.abc import Container, Iterator, Sequence

from dlt.common.normalizers.naming import NamingConvention

from pipelines_project.names import DLT_COLUMNS
from pipelines_project.sources.column_names import ColumnNames, assigned, pointers_of
from pipelines_project.sources.column_origin import pointer
from pipelines_project.sources.json.shape import Path
from pipelines_project.sources.typed_rows.survey import OBJECT, Survey

_BLANK_KEY = "_empty"


def leaves(
    seen: Survey, declared: Container[str], naming: NamingConvention, column_names: ColumnNames
) -> Iterator[Path]:
    """Yield the path of each column: what is an object and also something else is one column."""
    chosen = pointers_of(column_names)
    for below in seen.keys.values():
        if chosen.get(pointer(below.path), _name(below.path, naming)) in declared:
            yield below.path
        elif below.kinds == {OBJECT} and below.keys:
            yield from leaves(below, declared, naming, column_names)
        elif below.kinds:
            yield below.path


def named(
    paths: Sequence[Path],
    naming: NamingConvention,
    column_names: ColumnNames,
    reserved: Container[str] = DLT_COLUMNS,
) -> dict[str, Path]:
    """Return the paths by their columns' names, which `assigned` makes of those that dlt gives.

    Raises:
        SourceError: the settings choose a name that another column has.
    """
    plain = {path: _name(path, naming) for path in paths}
    return {n: path for path, n in assigned(plain, naming, reserved, column_names).items()}


def _name(path: Path, naming: NamingConvention) -> str:
    """Return the name that dlt gives a path when it flattens a row."""
    keys = (naming.normalize_path(key) if key.strip() else _BLANK_KEY for key in path)
    return naming.shorten_fragments(*keys)
