"""The names of a table's columns, as dlt makes them of the keys that lead to their values."""

import hashlib
import json
from collections.abc import Container, Iterator, Sequence
from itertools import chain

from dlt.common.normalizers.naming import NamingConvention

from pipelines_project.names import DLT_COLUMNS
from pipelines_project.sources.json.shape import Path
from pipelines_project.sources.typed_rows.survey import OBJECT, Survey

_BLANK_KEY = "_empty"


def leaves(seen: Survey, declared: Container[str], naming: NamingConvention) -> Iterator[Path]:
    """Yield the path of each column: what is an object and also something else is one column."""
    for below in seen.keys.values():
        if _name(below.path, naming) in declared:
            yield below.path
        elif below.kinds == {OBJECT} and below.keys:
            yield from leaves(below, declared, naming)
        elif below.kinds:
            yield below.path


def named(
    paths: Sequence[Path], naming: NamingConvention, reserved: Container[str] = DLT_COLUMNS
) -> dict[str, Path]:
    """Return the paths by their columns' names.

    Of keys whose names fall together the one that is spelled like the name has it, because it is
    the one that the source declares. Another has a suffix that is made of its spelling, the same in
    every month; dlt would let one value overwrite the other.
    """
    names: dict[str, Path] = {}
    plain = {path: _name(path, naming) for path in paths}
    for path in sorted(paths, key=lambda path: (plain[path] != "__".join(path), path)):
        digest = hashlib.sha256(json.dumps(path).encode()).hexdigest()
        suffixed = (f"{plain[path]}_x{digest[:length]}" for length in range(6, len(digest)))
        candidates = chain([plain[path]], map(naming.normalize_path, suffixed))
        free = (name for name in candidates if name not in names and name not in reserved)
        names[next(free)] = path
    order = {path: at for at, path in enumerate(paths)}
    return dict(sorted(names.items(), key=lambda each: order[each[1]]))


def _name(path: Path, naming: NamingConvention) -> str:
    """Return the name that dlt gives a path when it flattens a row."""
    keys = (naming.normalize_path(key) if key.strip() else _BLANK_KEY for key in path)
    return naming.shorten_fragments(*keys)
