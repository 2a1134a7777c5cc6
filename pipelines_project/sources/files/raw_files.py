"""The raw files of a table: which there are, which month each belongs to, and when one changed."""

import glob
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import fsspec
from fsspec.utils import glob_translate

from pipelines_project.sources.http.api_calls import SourceError

_DIRECTIVE = re.compile(r"%(?:\{([^}]*)\}|(.?))")
_VARIABLE = re.compile(r"[a-z][a-z0-9_]{0,59}")
_DIGITS = {"Y": 4, "m": 2}
# What filesystems call the two: the local disk, S3, Google, Azure, memory.
_MODIFIED = ("mtime", "LastModified", "last_modified", "updated", "created")
# On the local disk `created` is the time that nobody can set back: it tells a rewrite whose size
# and modification time are the old ones.
_ETAG = ("ETag", "etag", "e_tag", "content_md5", "md5Hash", "created")


class RawFile(NamedTuple):
    """One file as a listing shows it: path below the root, bytes, seconds since 1970, ETag."""

    path: str
    size: int
    modified: float | None
    etag: str


@dataclass(frozen=True)
class RawFolder:
    """The files below a root whose paths fit a template.

    Attributes:
        url: the root, a path or any URL that fsspec knows.
        template: the path below the root, with `%Y` and `%m` for the month, `%{name}` for a part
            of the path that is a column, and `*`, `?` and `[…]` for the rest, such as
            `events/%Y-%m/*.jsonl*`. Without a month the same files are those of every month.
    """

    url: str
    template: str

    @cached_property
    def _root(self) -> tuple[fsspec.AbstractFileSystem, str]:
        try:
            fs, path = fsspec.url_to_fs(self.url, use_listings_cache=False)
        except (ValueError, ImportError) as error:
            raise SourceError(f"RAW_URL is {self.url[:80]!r}: {error}") from error
        return fs, path.rstrip("/")

    @property
    def fs(self) -> fsspec.AbstractFileSystem:
        """The filesystem that holds the files."""
        return self._root[0]

    def full_path(self, file: RawFile) -> str:
        """Return the path by which the filesystem knows the file."""
        return f"{self._root[1]}/{file.path}"

    def files(self, month: str) -> list[RawFile]:
        """Return the files of the month, ordered by path.

        Raises:
            SourceError: the root is not there, which an absent disk would look like.
        """
        year, _, number = month.partition("-")
        template = self.template.replace("%Y", year).replace("%m", number)
        return self._listed(_DIRECTIVE.sub("*", template))

    def files_by_month(self) -> dict[str, list[RawFile]]:
        """Return the files of every month that has any; raises as `files` does."""
        any_month = _DIRECTIVE.sub(
            lambda match: "[0-9]" * _DIGITS[match[2]] if match[2] else "*", self.template
        )
        months: dict[str, list[RawFile]] = {}
        for file in self._listed(any_month):
            if match := self._pattern.fullmatch(file.path):
                months.setdefault(f"{match['Y']}-{match['m']}", []).append(file)
        return months

    @property
    def names_month(self) -> bool:
        """Whether the template tells the month of a file."""
        return "%Y" in self.template

    @property
    def variables(self) -> list[str]:
        """The names of the columns that the template takes from a path."""
        found = [match[1] for match in _DIRECTIVE.finditer(self.template) if match[1]]
        return list(dict.fromkeys(found))

    def values(self, file: RawFile) -> dict[str, str]:
        """Return what the path of a file has in place of each variable."""
        match = self._pattern.fullmatch(file.path)
        return {name: match[f"v_{name}"] for name in self.variables} if match else {}

    def _listed(self, pattern: str) -> list[RawFile]:
        fs, root = self._root
        if not fs.isdir(root):
            raise SourceError(
                f"there is no folder {self.url[:200]}: set RAW_URL, or what raw_url of the "
                "document is made from, to where the files are"
            )
        found: Any = fs.glob(f"{glob.escape(root)}/{pattern}", detail=True)
        files = (_raw_file(path[len(root) + 1 :], info) for path, info in found.items())
        fits = self._pattern.fullmatch if self.variables else bool
        return sorted(file for file in files if file and fits(file.path))

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        """The template as an expression that takes the month and the variables out of a path."""
        marked = _DIRECTIVE.sub(lambda m: f"@{m[2] or f'v_{m[1]}'}@", self.template)
        pattern = glob_translate(marked)
        parts = {letter: rf"\d{{{digits}}}" for letter, digits in _DIGITS.items()}
        parts |= {f"v_{name}": "[^/]+" for name in self.variables}
        for name, part in parts.items():
            first, *later = pattern.split(f"@{name}@")
            if later:
                pattern = f"{first}(?P<{name}>{part})" + f"(?P={name})".join(later)
        return re.compile(pattern)


def checked_template(template: str) -> str:
    """Return the template if it names the month or none, and stays below the root.

    Raises:
        ValueError: it has only one of `%Y` and `%m`, another directive, a variable that is no
            name of a column, or leads out of the root.
    """
    letters = {match[2] for match in _DIRECTIVE.finditer(template) if match[1] is None}
    if letters and letters != _DIGITS.keys():
        raise ValueError(
            f"{template[:80]!r} must name the month by %Y and %m, and nothing else by % but "
            "columns, as in region=%{region}"
        )
    for match in _DIRECTIVE.finditer(template):
        if match[1] is not None and not _VARIABLE.fullmatch(match[1]):
            raise ValueError(f"{match[0][:80]!r} in {template[:80]!r} is no column: use a-z and _")
    if not template.strip("/"):
        raise ValueError("the path of the files is empty: write one such as receipts/%Y-%m/*.csv")
    if template.startswith("/") or ".." in template.split("/"):
        raise ValueError(f"{template[:80]!r} leads out of RAW_URL: write a path below it")
    return template


def fingerprint(files: Iterable[RawFile]) -> str:
    """Return a digest of the files' paths, sizes, times and ETags."""
    return hashlib.sha256(repr([tuple(file) for file in files]).encode()).hexdigest()[:16]


def _is_utf8(path: str) -> bool:
    try:
        return bool(path.encode())
    except UnicodeEncodeError:
        return False


def _raw_file(path: str, info: dict[str, Any]) -> RawFile | None:
    """Return the file, or None for a folder and for hidden files, which tools are still writing."""
    if info.get("type") == "directory" or path.rsplit("/", 1)[-1].startswith("."):
        return None
    if not _is_utf8(path):
        raise SourceError(f"the name of {path!r} is not UTF-8: rename the file")
    # A link's own kind is "other", as is that of a pipe or a device, which has no end.
    if info.get("type") == "other" and not Path(info["name"]).is_file():
        raise SourceError(f"{path} is neither a file nor a link to one: take it away")
    modified = next((info[name] for name in _MODIFIED if info.get(name)), None)
    if isinstance(modified, str):
        modified = datetime.fromisoformat(modified)
    if isinstance(modified, datetime):
        modified = modified.timestamp()
    etag = next((str(info[name]) for name in _ETAG if info.get(name)), "")
    return RawFile(path, info.get("size") or 0, modified, etag)
