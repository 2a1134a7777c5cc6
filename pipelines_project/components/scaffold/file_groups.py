"""Files that belong together: their paths differ in month, day, number or `key=value` only."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase

from pipelines_project.components.scaffold.table_names import words
from pipelines_project.sources.files.file_format import Format, format_of

_COMPRESSED = re.compile(r"[.](gz|zst|bz2)$")
# What a template reads as something else.
_SPECIAL = str.maketrans(dict.fromkeys("%*?[]{}", "?"))
_MONTH = re.compile(
    r"(?<!\d)(?P<year>(?:19|20)\d\d)(?P<between>[-_.]|/(?:[A-Za-z]+=)?|)(?P<month>0[1-9]|1[0-2])"
    r"(?:(?P<before_day>[-_.]|/(?:[A-Za-z]+=)?|)(?:0[1-9]|[12]\d|3[01]))?(?!\d)"
)
_VARIABLE = re.compile(r"([a-z][a-z0-9_]{0,59})=[^/%]+")
# Numbers, and what only a machine gives as a name.
_NUMBERED = re.compile(r"(?:\b|(?<=_))(?=[a-f-]*\d)[0-9a-f]{8,}(?:-[0-9a-f]{4,})*(?![a-z])|\d+")
_STARS = re.compile(r"\*(?:[-_.T]?\*)+")
_OF_NO_TABLE = frozenset({"part", "data", "file", "export", "chunk", "batch"})
_MOST_NAMES = 20


@dataclass(frozen=True)
class FileGroup:
    """Files whose paths fit one template.

    Attributes:
        folder: the template of the folder, with a slash at its end; empty for the root.
        stem: the template of the file's name.
        ending: what the names end with, such as `.csv`, without that of a compression.
        format: of the files.
        files: bytes by path.
        months: those that the paths name.
        compressed: the endings of compressions, empty where there is none.
    """

    folder: str
    stem: str
    ending: str
    format: Format
    files: Mapping[str, int] = field(default_factory=dict[str, int])
    months: frozenset[str] = frozenset()
    compressed: frozenset[str] = frozenset()

    @property
    def template(self) -> str:
        """The path of the files, as the setting `files` has it."""
        more = "*" if len(self.compressed) > 1 else "".join(self.compressed)
        return f"{self.folder}{self.stem}{self.ending}{more}"

    @property
    def called(self) -> list[str]:
        """What a table of the files may be called, the best first: their name, their folder."""
        folders = [part for part in self.folder.split("/") if part]
        names = [_plain(part) for part in (self.stem, *reversed(folders))]
        own, *outer = [[word for word in words(name) if not word.isdigit()] for name in names]
        inner = [] if outer and {*own} <= _OF_NO_TABLE else [own]
        found = ["_".join(name) for name in (*inner, *outer) if name]
        return list(dict.fromkeys(found)) or ["_".join(own)] * bool(own)

    def with_any_name(self, others: Iterable["FileGroup"]) -> "FileGroup":
        """Return the group with those of the same folder in it, whatever their names are."""
        return _united([self, *others], "*")

    def takes(self, other: "FileGroup") -> bool:
        """Tell whether the template fits a file of another group too."""
        if (other.folder, other.ending) != (self.folder, self.ending) or other is self:
            return False
        pattern = self.stem.replace("%Y", "[0-9]" * 4).replace("%m", "[0-9]" * 2)
        names = (path.rpartition("/")[2] for path in other.files)
        return any(fnmatchcase(name, f"{pattern}{self.ending}*") for name in names)


def file_groups(files: Mapping[str, int]) -> tuple[list[FileGroup], Counter[str]]:
    """Return the groups, and how many files there are of each ending that no format has.

    Args:
        files: bytes by path below the root.
    """
    found = dict[tuple[str, str, str], list[FileGroup]]()
    unknown = Counter[str]()
    for path, size in files.items():
        if any(part.startswith((".", "_")) for part in path.split("/")):
            continue
        if group := _group(path, size):
            found.setdefault((group.folder, group.stem, group.ending), []).append(group)
        else:
            unknown[path.rpartition("/")[2].partition(".")[2] or "no ending"] += 1
    groups = [_united(same, same[0].stem) for _, same in sorted(found.items())]
    return _without_many_names(groups), unknown


def neighbours(groups: Sequence[FileGroup]) -> list[list[FileGroup]]:
    """Return the groups by folder and ending: perhaps their names do not matter."""
    together = dict[tuple[str, str], list[FileGroup]]()
    for group in groups:
        together.setdefault((group.folder, group.ending), []).append(group)
    return [*together.values()]


def may_be_one(groups: Sequence[FileGroup]) -> bool:
    """Tell whether neighbours can be one group: none has its month in the name."""
    return len(groups) > 1 and not any("%Y" in group.stem for group in groups)


def _group(path: str, size: int) -> FileGroup | None:
    plain = _COMPRESSED.sub("", path)
    dot = plain.rfind(".")
    found: Format | None = None
    if dot > plain.rfind("/"):
        with suppress(ValueError):
            found = format_of(plain.translate(_SPECIAL), None)
    if found is None:
        return None
    template, month = _with_month(plain[:dot].translate(_SPECIAL))
    folder, slash, stem = template.rpartition("/")
    if found != "jsonl":
        folder = "/".join(_VARIABLE.sub(r"\1=%{\1}", part) for part in folder.split("/"))
    stem = _STARS.sub("*", _NUMBERED.sub("*", stem))
    return FileGroup(
        folder + slash,
        stem,
        plain[dot:],
        found,
        {path: size},
        frozenset([month] if month else []),
        frozenset({path[len(plain) :]}),
    )


def _with_month(path: str) -> tuple[str, str | None]:
    """Return the path with `%Y` and `%m` for its month, and the month."""
    match = _MONTH.search(path)
    if not match:
        return path, None
    day = "" if match["before_day"] is None else f"{match['before_day']}*"
    month = f"%Y{match['between']}%m{day}"
    year, number = match["year"], match["month"]
    before, after = path[: match.start()], path[match.end() :]
    again = re.compile(rf"(?<!\d){year}(?P<between>[-_.]?){number}(?:(?P<day>[-_.]?)\d\d)?(?!\d)")

    def repeated(found: re.Match[str]) -> str:
        more = "" if found["day"] is None else f"{found['day']}*"
        return f"%Y{found['between']}%m{more}"

    before, after = (
        re.sub(rf"(?<!\d){year}(?!\d)", "%Y", again.sub(repeated, part)) for part in (before, after)
    )
    return f"{before}{month}{after}", f"{year}-{number}"


def _united(groups: Sequence[FileGroup], stem: str) -> FileGroup:
    return replace(
        groups[0],
        stem=stem,
        files={path: size for group in groups for path, size in group.files.items()},
        months=frozenset().union(*(group.months for group in groups)),
        compressed=frozenset().union(*(group.compressed for group in groups)),
    )


def _without_many_names(groups: Sequence[FileGroup]) -> list[FileGroup]:
    """Return the groups; those of a folder with very many names are one."""
    return [
        group
        for same in neighbours(groups)
        for group in (
            [same[0].with_any_name(same[1:])]
            if len(same) > _MOST_NAMES and may_be_one(same)
            else same
        )
    ]


def _plain(part: str) -> str:
    """Return a part of a template without its placeholders."""
    return re.sub(r"[A-Za-z_]+=%\{[^}]*\}|[A-Za-z]*=?%[Ym]|[*?]", " ", part)
