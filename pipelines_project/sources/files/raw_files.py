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

_DIRECTIVE = re.compile(r"%(.?)")
_FOREIGN = re.compile(
    r"[.](csv|tsv|psv|xlsx?|ods|parquet|avro|orc|arrow|feather|xml|html?|ya?ml|pdf|zip|tar|7z)"
    r"[*]?(?:[.](?:gz|zst|bz2))?[*]?$",
    re.IGNORECASE,
)
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
    """The files below a root whose paths fit a template that names the month.

    Attributes:
        url: the root, a path or any URL that fsspec knows.
        template: the path below the root, with `%Y` and `%m` for the month and `*`, `?` and
            `[…]` for the rest, such as `events/%Y-%m/*.jsonl*`.
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
        year, number = month.split("-")
        return self._listed(self.template.replace("%Y", year).replace("%m", number))

    def files_by_month(self) -> dict[str, list[RawFile]]:
        """Return the files of every month that has any; raises as `files` does."""
        any_month = _DIRECTIVE.sub(lambda match: "[0-9]" * _DIGITS[match[1]], self.template)
        months: dict[str, list[RawFile]] = {}
        for file in self._listed(any_month):
            if match := self._pattern.fullmatch(file.path):
                months.setdefault(f"{match['Y']}-{match['m']}", []).append(file)
        return months

    def _listed(self, pattern: str) -> list[RawFile]:
        fs, root = self._root
        if not fs.isdir(root):
            raise SourceError(
                f"there is no folder {self.url[:200]}: set RAW_URL to where the files are"
            )
        found: Any = fs.glob(f"{glob.escape(root)}/{pattern}", detail=True)
        files = (_raw_file(path[len(root) + 1 :], info) for path, info in found.items())
        return sorted(file for file in files if file)

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        """The template as an expression that takes the month out of a path."""
        pattern = glob_translate(_DIRECTIVE.sub(r"@\1@", self.template))
        for letter, digits in _DIGITS.items():
            group = rf"(?P<{letter}>\d{{{digits}}})"
            first, *later = pattern.split(f"@{letter}@")
            pattern = first + group + rf"(?P={letter})".join(later)
        return re.compile(pattern)


def checked_template(template: str) -> str:
    """Return the template if it names the month, stays below the root and can be JSON lines.

    Raises:
        ValueError: it lacks `%Y` or `%m`, has another directive, leads out of the root, or names
            files of another format.
    """
    directives = {match[1] for match in _DIRECTIVE.finditer(template)}
    if directives != _DIGITS.keys():
        raise ValueError(
            f"{template[:80]!r} must name the month by %Y and %m, and nothing else by %"
        )
    if template.startswith("/") or ".." in template.split("/"):
        raise ValueError(f"{template[:80]!r} leads out of RAW_URL: write a path below it")
    if match := _FOREIGN.search(template):
        raise ValueError(
            f"{template[:80]!r} names {match[1].lower()} files, which are no JSON lines: name "
            "files that hold one JSON object a line"
        )
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
