"""The answers that a month is made from, kept until it is known whether and how they land."""

import tempfile
import weakref
from collections.abc import Iterator
from typing import NamedTuple

import pyarrow as pa
import requests


class Answer(NamedTuple):
    """A body, and whom it is about."""

    subject: str
    body: bytes


class KeptAnswers:
    """Answers in a temporary file, because together they can be of any size."""

    def __init__(self) -> None:
        """Keep nothing yet."""
        self._file = tempfile.TemporaryFile(prefix="answers-")  # noqa: SIM115
        weakref.finalize(self, self._file.close)
        self._kept: list[tuple[str, int]] = []
        self._etags: dict[str, str | None] = {}

    def keep(self, subject: str, url: str, response: requests.Response) -> None:
        """Keep the answer to a request for an address."""
        self._kept.append((subject, self._file.write(response.content)))
        self._etags[url] = response.headers.get("ETag")

    @property
    def etags(self) -> dict[str, str] | None:
        """The ETag of each address that answered; None if one of them gave none."""
        known = {url: etag for url, etag in self._etags.items() if etag}
        return known if len(known) == len(self._etags) else None

    def __iter__(self) -> Iterator[Answer]:
        """Yield the answers in the order in which they were kept."""
        self._file.seek(0)
        for subject, size in self._kept:
            yield Answer(subject, self._file.read(size))


class KeptTables:
    """Tables in a temporary file, each with whom it is about."""

    def __init__(self) -> None:
        """Keep nothing yet."""
        self._file = tempfile.TemporaryFile(prefix="tables-")  # noqa: SIM115
        weakref.finalize(self, self._file.close)
        self._subjects: list[str] = []

    def keep(self, subject: str, table: pa.Table) -> None:
        """Keep the table."""
        with pa.ipc.new_stream(self._file, table.schema) as stream:
            stream.write_table(table)
        self._subjects.append(subject)

    def __iter__(self) -> Iterator[tuple[str, pa.Table]]:
        """Yield the tables in the order in which they were kept."""
        self._file.seek(0)
        for subject in self._subjects:
            with pa.ipc.open_stream(self._file) as stream:
                yield subject, stream.read_all()
