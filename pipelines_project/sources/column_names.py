"""The names of a table's columns, where several names of the source fall together."""

import hashlib
import json
from collections.abc import Container, Iterable, Mapping
from itertools import chain
from types import MappingProxyType

from dlt.common.normalizers.naming import NamingConvention

from pipelines_project.sources.column_origin import pointer, stated
from pipelines_project.sources.http.api_calls import SourceError
from pipelines_project.sources.json.shape import Path

ColumnNames = Mapping[str, str]
"""The setting `column_names`: columns by their names in the source, or by JSON pointers."""
NONE_CHOSEN: ColumnNames = MappingProxyType({})


def assigned(
    plain: Mapping[Path, str],
    naming: NamingConvention,
    reserved: Container[str],
    chosen: ColumnNames,
) -> dict[Path, str]:
    """Return the name of each column, by the keys that lead to its values.

    A column has the name that the settings choose, or else its plain one. Of those that fall
    together the one that is spelled like the name has it, because it is the one that the source
    declares. Another has a suffix that is made of its spelling; dlt would let one value overwrite
    the other.

    Args:
        plain: what dlt calls each column.
        naming: dlt's naming convention.
        reserved: names that are taken already.
        chosen: the setting `column_names`.

    Raises:
        SourceError: the settings choose a name that another column has, or that is taken.
    """
    by_pointer = pointers_of(chosen)
    settled = {path: by_pointer[at] for path in plain if (at := pointer(path)) in by_pointer}
    _check(plain, settled, reserved)
    taken = set(settled.values())
    names = dict(settled)
    others = [path for path in plain if path not in settled]
    for path in sorted(others, key=lambda path: (plain[path] != "__".join(path), path)):
        digest = hashlib.sha256(json.dumps(path).encode()).hexdigest()
        suffixed = (f"{plain[path]}_x{digest[:length]}" for length in range(6, len(digest)))
        candidates = chain([plain[path]], map(naming.normalize_path, suffixed))
        names[path] = next(n for n in candidates if n not in taken and n not in reserved)
        taken.add(names[path])
    return {path: names[path] for path in plain}


def pointers_of(chosen: ColumnNames) -> dict[str, str]:
    """Return the columns that the settings name, by JSON pointers alone."""
    return {
        name if name.startswith("/") else pointer((name,)): column
        for name, column in chosen.items()
    }


def origins_of(found: Mapping[str, str], chosen: ColumnNames) -> dict[str, list[str]]:
    """Return the JSON pointers of each column: where its values were, and what else it is for.

    The settings say of several names that they are one column by choosing it for each; the name
    that is the column's own is one of them.

    Args:
        found: where the values of each column were.
        chosen: the setting `column_names`.
    """
    also: dict[str, set[str]] = {}
    for at, column in pointers_of(chosen).items():
        also.setdefault(column, {pointer((column,))}).add(at)
    return {column: sorted({at, *also.get(column, ())}) for column, at in found.items()}


def _check(
    plain: Mapping[Path, str], settled: Mapping[Path, str], reserved: Container[str]
) -> None:
    """Refuse a chosen name that is not free."""
    for path, column in settled.items():
        name = stated(pointer(path))
        if column in reserved:
            raise SourceError(
                f"column_names gives {name!r} the column {column!r}, which landing itself adds. "
                "Nothing was landed: choose another name"
            )
        if others := _others(path, column, plain, settled):
            raise SourceError(
                f"column_names gives {name!r} the column {column!r}, which {others} has too. "
                "Nothing was landed: choose another name for one of them"
            )


def _others(path: Path, column: str, plain: Mapping[Path, str], settled: Mapping[Path, str]) -> str:
    wanted = {**plain, **settled}
    found: Iterable[Path] = (p for p, name in wanted.items() if name == column and p != path)
    return ", ".join(repr(stated(pointer(each))) for each in found)
