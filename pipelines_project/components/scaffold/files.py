"""The `defs.yaml` of a folder of files: a table for each group of files that belong together."""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import fsspec
from pydantic import BaseModel, Field

from pipelines_project.components.scaffold.document import Document, ProposedTable, literal
from pipelines_project.components.scaffold.file_groups import (
    FileGroup,
    file_groups,
    may_be_one,
    neighbours,
)
from pipelines_project.components.scaffold.file_sample import Sample, sample
from pipelines_project.components.scaffold.month_columns import DateColumn, month_column
from pipelines_project.components.scaffold.scaffolder import DocumentScaffolder, asked, asked_month
from pipelines_project.components.scaffold.table_names import table_name, words
from pipelines_project.months import month_of

_PLAIN = re.compile(r"[\w./:@ -]+")
_MOST_TYPES = 40


class FilesParams(BaseModel):
    """What `dg scaffold defs pipelines_project.components.Files` takes."""

    raw_url: str | None = Field(
        default=None, description="The folder that holds the files: a path or a URL."
    )
    start_month: str | None = Field(
        default=None,
        description="The first month there is, YYYY-MM; that of the first file by default.",
    )


class FilesScaffolder(DocumentScaffolder[FilesParams]):
    """Proposes a table for each group of files."""

    @classmethod
    def get_scaffold_params(cls) -> type[FilesParams]:
        """Return the parameters."""
        return FilesParams

    def document(self, source: str, params: FilesParams) -> Document:
        """Return a document with a table for each group of the folder's files."""
        raw_url = _without_secret(
            asked(params.raw_url, "--raw-url", "the folder that holds the files, a path or a URL")
        )
        groups, unknown = file_groups(_files(raw_url))
        if not groups:
            raise ValueError(
                f"below {raw_url} is no file that can be read: give another folder as --raw-url"
            )
        sampled = list(_sampled(raw_url, groups))
        tables = list(_proposed(source, sampled))
        return Document(
            heading=[
                f"Proposed by `dg scaffold` from the files below {raw_url}.",
                "Types are those of one file of each table; landing tells them by every row.",
            ],
            attributes={
                "source": source,
                "raw_url": _from_environment(source, raw_url),
                "start_month": _start_month(params.start_month, groups, tables),
            },
            tables=tables,
            left_out=[
                f"Left out: {count} with {ending}, of which no format is known."
                for ending, count in sorted(unknown.items())
            ],
        )


def _without_secret(raw_url: str) -> str:
    parts = urlsplit(raw_url)
    if "://" in raw_url and ("@" in parts.netloc or parts.query):
        raise ValueError(
            "--raw-url holds what may be a secret, which has no place in a document: give it "
            "without user, password and query, and the rest by the environment"
        )
    return raw_url.rstrip("/") or raw_url


def _files(raw_url: str) -> dict[str, int]:
    """Return the bytes of each file, by its path below the folder."""
    fs, root = fsspec.url_to_fs(raw_url, use_listings_cache=False)
    root = root.rstrip("/")
    if not fs.isdir(root):
        raise ValueError(f"there is no folder {raw_url}: give another one as --raw-url")
    found: Any = fs.find(root, detail=True)
    return {path[len(root) + 1 :]: info.get("size") or 0 for path, info in found.items()}


def _from_environment(source: str, raw_url: str) -> str:
    """Return what gives the folder, which another environment may have elsewhere."""
    if not _PLAIN.fullmatch(raw_url):
        return str(literal(raw_url))
    return f"{{{{ env.{source.upper()}_RAW_URL or '{raw_url}' }}}}"


def _sampled(raw_url: str, groups: Sequence[FileGroup]) -> Iterator[tuple[FileGroup, Sample]]:
    """Yield groups with a sample of each; those of a folder with the same columns are one."""
    for same in neighbours(groups):
        pairs = [(group, sample(raw_url, _smallest(group), group.format)) for group in same]
        columns = {tuple(each.name for each in found.columns) for _, found in pairs}
        if may_be_one(same) and len(columns) == 1 and columns != {()}:
            yield same[0].with_any_name(same[1:]), pairs[0][1]
        else:
            yield from pairs


def _smallest(group: FileGroup) -> str:
    """Return the smallest of the files that are not empty."""
    filled = {path: size for path, size in group.files.items() if size} or group.files
    return min(filled, key=lambda path: (filled[path], path))


def _proposed(source: str, sampled: Sequence[tuple[FileGroup, Sample]]) -> Iterator[ProposedTable]:
    taken: set[str] = set()
    for group, found in sampled:
        names = [table_name(each, ()) for each in group.called] or [source]
        free = [name for name in names if name not in taken]
        name = free[0] if free else table_name("_".join(reversed(names)), taken)
        taken.add(name)
        settings: dict[str, Any] = {"name": name, "files": group.template}
        comments = [_about_types(found)]
        if also := [other.template for other, _ in sampled if group.takes(other)]:
            comments.append(f"The path of these files fits {', '.join(also)} too.")
        if key := next((each for each in _ids(name, found) if found.is_unique(each)), None):
            settings["key"] = [key]
            comments.append(f"key: {key} is unique in the first rows of that file.")
        else:
            comments.append("Add key, if some columns tell the rows of a month apart.")
        if not group.months and group.format != "jsonl":
            column, on_month = month_column(_dates(found))
            settings |= {"month_column": column} if column else {}
            comments += on_month
        settings |= found.settings
        if row := found.settings.get("start_row"):
            comments.append(f"start_row: what stands above row {row} of that file is no header.")
        yield ProposedTable(literal(settings), comments)


def _about_types(found: Sample) -> str:
    if found.error:
        return f"{found.path} could not be read. {found.error}"
    types = [f"{each.name} {each.type}" for each in found.columns[:_MOST_TYPES]]
    more = len(found.columns) - len(types)
    listed = ", ".join(types) + (f" and {more} more" if more else "")
    return f"Types in {found.path}: {listed or 'none, for it has no rows'}."


def _ids(table: str, found: Sample) -> list[str]:
    """Return the columns that are called like a key."""
    last = words(table)[-1]
    called = {"id", "uuid", "guid", f"{table}_id", f"{last}_id", f"{last.removesuffix('s')}_id"}
    return [each.name for each in found.columns if each.name in called]


def _dates(found: Sample) -> list[DateColumn]:
    return [
        DateColumn(each.name, not found.is_complete(each.name))
        for each in found.columns
        if each.type.startswith(("date", "timestamp"))
    ]


def _start_month(
    given: str | None, groups: Sequence[FileGroup], tables: Sequence[ProposedTable]
) -> str:
    months = sorted(month for group in groups for month in group.months)
    if given is None and months:
        return months[0]
    is_split = any("month_column" in table.settings for table in tables)
    return asked_month(given) if given or is_split else month_of(datetime.now(UTC))
