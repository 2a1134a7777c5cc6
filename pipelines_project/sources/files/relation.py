"""The rows of a month's files as one query: each column cast to the type in which it is read."""

import re
from collections.abc import Sequence

from pipelines_project.sources.files.columns import Column
from pipelines_project.sources.files.parts import LINE, Part, column
from pipelines_project.sources.files.settings import FileSettings
from pipelines_project.sql_text import literal, quoted

FILE = "#file"
PATH = "#path"
_SAMPLED_FILES, _SAMPLED_ROWS = 8, 5_000
_NESTED = re.compile(r".*(\[\d*\]|\))|JSON|VARIANT")


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
