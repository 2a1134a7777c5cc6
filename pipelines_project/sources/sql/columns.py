"""Which columns are read, and what they are called where they land."""

import difflib
from collections.abc import Iterable, Mapping, Sequence

from dlt.common.normalizers.naming import NamingConvention

from pipelines_project.sources.http.api_calls import SourceError
from pipelines_project.sources.sql.settings import SqlSettings
from pipelines_project.sources.typed_rows.names import named


def read_columns(
    settings: SqlSettings, there: Sequence[str], naming: NamingConvention
) -> dict[str, str]:
    """Return the columns that are read: the name that each lands under, by the database's.

    Args:
        settings: of the table.
        there: the columns that the database has, in its order.
        naming: dlt's naming convention.

    Raises:
        SourceError: a column that the settings name is not there or is not read, or a query has
            two of one name, or the settings choose a name that another column has.
    """
    if twice := {name for name in there if there.count(name) > 1}:
        raise SourceError(
            f"{settings.place} has several columns {_listed(twice)}: give each a name with `as`"
        )
    month_column = [settings.month_column] if settings.month_column else []
    for setting, names in (
        ("columns", settings.columns),
        ("exclude", settings.exclude),
        ("month_column", month_column),
    ):
        for name in names:
            _check(settings, setting, name, there)
    read = [
        name
        for name in there
        if name not in settings.exclude and (not settings.columns or name in settings.columns)
    ]
    if not read:
        raise SourceError(f"{settings.place}: `columns` and `exclude` leave no column")
    paths = [(name,) for name in read]
    landed = {at[0]: name for name, at in named(paths, naming, settings.column_names).items()}
    for name in settings.key:
        if name not in landed and name not in landed.values():
            _check(settings, "key", name, read)
    return landed


def row_keys(
    settings: SqlSettings, landed: Mapping[str, str], naming: NamingConvention
) -> list[str]:
    """Return the keys of rows as dicts that `typed_rows` makes columns of these names of.

    They are the database's names, which it then tells as the columns' origin, but for those whose
    names fall together with others'.
    """
    alone = {name: [*named([(name,)], naming, settings.column_names)] for name in landed}
    return [name if alone[name] == [new] else new for name, new in landed.items()]


def _check(settings: SqlSettings, setting: str, name: str, there: Sequence[str]) -> None:
    if name in there:
        return
    near = difflib.get_close_matches(name, there, 1)
    meant = f"; is {near[0]!r} meant?" if near else "."
    raise SourceError(
        f"{settings.place} has no column {name!r}, which `{setting}` names{meant} "
        f"It has {_listed(there)}"
    )


def _listed(names: Iterable[str]) -> str:
    return ", ".join(map(repr, names))[:1000]
