"""The versions of a source, and whether they fit what its `defs.yaml` says of the tables."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from pipelines_project.table import Table
from pipelines_project.warehouse.loaders.history import History
from pipelines_project.warehouse.loaders.merge_month import VERSION_COLUMN, MergeMonth
from pipelines_project.warehouse.loaders.row_versions import HISTORY_COLUMNS
from pipelines_project.warehouse.versions.changes import RenameColumn
from pipelines_project.warehouse.versions.files import Version, read_versions, shapes_of
from pipelines_project.warehouse.versions.shape import Shape


def versions_of(folders: Iterable[Path], source: str, tables: Sequence[Table]) -> Sequence[Version]:
    """Return the versions that lie beside the documents of a source.

    Args:
        folders: those of its documents.
        source: the source.
        tables: all that it has.

    Raises:
        ValueError: two folders have versions, a file is wrong, it names a table that is not there,
            or takes away a column that the project needs; it says which.
    """
    read = [read_versions(folder / "versions", source) for folder in sorted({*folders})]
    found = [versions for versions in read if versions]
    if not found:
        return ()
    if len(found) > 1:
        places = " and ".join(str(versions[0].path.parent) for versions in found)
        raise ValueError(f"{source} has versions in {places}: keep all of them in one folder")
    [versions] = found
    by_name = {table.name: table for table in tables}
    for name, shape in shapes_of(versions).items():
        if problem := _problem(source, name, shape, by_name):
            raise ValueError(f"{versions[0].path.parent}: {problem}")
    return versions


def _problem(source: str, name: str, shape: Shape, tables: dict[str, Table]) -> str:
    table = tables.get(name)
    if table is None and shape.is_dropped:
        return ""
    if table is None:
        return (
            f"{source}.{name} is no table of {source}: there are {', '.join(tables)}. If it was "
            f"one, drop it by one more version: drop table {source}.{name}"
        )
    if shape.is_dropped:
        return f"{source}.{name} is dropped, and the defs.yaml has a table of that name"
    for column, why in _needed(table).items():
        if shape.name(column) is None:
            return f"{source}.{name}: {column} is dropped, which is {why}"
    touched = {c.column for c in shape.changes}
    touched |= {c.to for c in shape.changes if isinstance(c, RenameColumn)}
    if fixed := sorted(touched & _fixed(table)):
        return f"{source}.{name}: {fixed[0]} cannot be changed, because loading goes by it"
    return ""


def _needed(table: Table) -> dict[str, str]:
    """Return the landed columns that the table's settings name, and as what."""
    needed = dict.fromkeys(table.key, "part of its key")
    if table.subject:
        needed[table.subject] = "its subject"
    if isinstance(table.loader, History) and table.loader.version_column:
        needed[table.loader.version_column] = "its version_column"
    return needed


def _fixed(table: Table) -> set[str]:
    """Return the columns by which rows are loaded, whose names and types must stay."""
    if isinstance(table.loader, MergeMonth):
        return {table.loader.key, VERSION_COLUMN, *table.loader.marks}
    return {*HISTORY_COLUMNS} if isinstance(table.loader, History) else set()
