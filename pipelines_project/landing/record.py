"""The record of a load: the file whose presence commits it, and what it says of the load.

It is a JSON object whose last member is the sha256 of the object without it, in any format, so that
a record of which a bit has changed is never believed.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, cast

from fsspec.implementations.local import LocalFileSystem
from pydantic import TypeAdapter, ValidationError

from pipelines_project.landing.errors import DamagedLoadError, LandingError
from pipelines_project.landing.sample import Sample
from pipelines_project.landing.storage import FileSystem, put_whole

FORMAT = 1


@dataclass(frozen=True)
class RecordedFile:
    """One data file of a load.

    Attributes:
        table: the dlt table, which is the month's or its quarantine.
        name: of the file in that table's folder of the month.
        rows: in it.
        bytes: its size.
        sha256: of its content, in hexadecimal.
    """

    table: str
    name: str
    rows: int
    bytes: int
    sha256: str


@dataclass(frozen=True)
class LoadRecord:
    """A load as it was committed.

    Attributes:
        load_id: the load.
        schema: the dlt type of each column of the table.
        files: every data file, of the table and of its quarantine.
        fetched: what the source compares the next time, such as the ETag of an address.
        required: the columns that are never null.
        details: what the source said of it, to be shown.
        content: the same for loads of the same rows and refused rows, where it is known; an earlier
            version of the project did not record it.
        origins: what each column is in the source, as JSON pointers; none where it is not known.
        types: the Arrow type of each column in the table's files; an earlier version of the project
            did not record it.
        sample: a few of its rows, where no person is in them.
        format: the version of this format.
    """

    load_id: str
    schema: Mapping[str, str]
    files: list[RecordedFile]
    fetched: Mapping[str, str] = field(default_factory=dict[str, str])
    required: list[str] = field(default_factory=list[str])
    details: Mapping[str, Any] = field(default_factory=dict[str, Any])
    content: str | None = None
    origins: Mapping[str, list[str]] = field(default_factory=dict[str, list[str]])
    types: Mapping[str, str] = field(default_factory=dict[str, str])
    sample: Sample | None = None
    format: int = FORMAT

    def rows_of(self, table: str) -> int:
        """Return how many rows of a dlt table the load has."""
        return sum(file.rows for file in self.files if file.table == table)

    @property
    def bytes(self) -> int:
        """The size of all its files."""
        return sum(file.bytes for file in self.files)


_SEALED = re.compile(rb'(\{.*),"sha256":"([0-9a-f]{64})"\}', re.DOTALL)
_JSON = TypeAdapter(LoadRecord)
_FORMAT_OF = TypeAdapter(dict[str, Any])


def recorded_file(table: str, name: str, rows: int, path: Path) -> RecordedFile:
    """Return what is recorded of a local file with so many rows that is stored under the name."""
    with path.open("rb") as file:
        digest = sha256_of(file)
    return RecordedFile(table, name, rows, path.stat().st_size, digest)


def sha256_of(file: IO[bytes]) -> str:
    """Return the digest of a file from its beginning, in hexadecimal."""
    return hashlib.file_digest(cast(Any, file), "sha256").hexdigest()


def read_record(fs: FileSystem, path: str) -> LoadRecord:
    """Return the record under the path.

    Raises:
        FileNotFoundError: there is none.
        DamagedLoadError: it cannot be read.
        OSError: the store does not answer.
        LandingError: another version of this project has written it, in a format of its own.
    """
    try:
        # Asked for from a position on, a store need not be asked for the size first.
        text = fs.cat_file(path, start=0)
    except FileNotFoundError:
        raise
    except OSError as error:
        if not isinstance(fs, LocalFileSystem):
            # A store that does not answer says nothing of the record.
            raise
        raise DamagedLoadError(f"the record {path} cannot be read: {error}") from error
    text = _unsealed(text, path)
    try:
        written = _FORMAT_OF.validate_json(text).get("format")
        if isinstance(written, int) and written != FORMAT:
            raise LandingError(
                f"the record {path} has format {written}, and this version reads format {FORMAT}: "
                "run the version of the project that wrote it, or a later one"
            )
        return _JSON.validate_json(text)
    except ValidationError as error:
        raise DamagedLoadError(
            f"the record {path} is damaged: {error.errors()[0]['msg']}"
        ) from None


def write_record(fs: FileSystem, path: str, record: LoadRecord) -> None:
    """Commit a load, whose files must be durable by now."""
    put_whole(fs, path, sealed(_JSON.dump_json(record)))


def sealed(text: bytes) -> bytes:
    """Return a JSON object with its own sha256 as the last member."""
    return text[:-1] + f',"sha256":"{hashlib.sha256(text).hexdigest()}"}}'.encode()


def _unsealed(text: bytes, path: str) -> bytes:
    """Return the JSON object whose sha256 stands at its end; raises `DamagedLoadError` if not."""
    match = _SEALED.fullmatch(text)
    if not match or hashlib.sha256(match[1] + b"}").hexdigest() != match[2].decode():
        raise DamagedLoadError(
            f"the record {path} is damaged: it does not end with the sha256 of what it says"
        )
    return match[1] + b"}"
