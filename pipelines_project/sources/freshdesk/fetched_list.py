"""A list that is fetched once in a run, and then read month by month."""

import tempfile
import weakref
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import IO

from dlt.common import json

from pipelines_project.sources.freshdesk.pages import Row, updated_at


class FetchedList:
    """The rows of a list, kept in a temporary file because a list can be of any length."""

    def __init__(self, fetch: Callable[[datetime], Iterable[list[Row]]]) -> None:
        """Fetch nothing yet.

        Args:
            fetch: given an instant, yields the pages of all rows that changed since, or of more.
        """
        self._fetch = fetch
        self._file: IO[bytes] | None = None
        self._since: datetime | None = None

    def changed_between(self, start: datetime, end: datetime) -> Iterator[list[Row]]:
        """Yield the rows that last changed from `start` on and before `end`.

        The list is fetched anew only for an earlier start than any before.
        """
        if self._file is None or self._since is None or start < self._since:
            self._file, self._since = self._fetched(start), start
        self._file.seek(0)
        for line in self._file:
            page = json.loadb(line)
            yield [row for row in page if start <= updated_at(row) < end]

    def _fetched(self, since: datetime) -> IO[bytes]:
        """Return a file of the whole list, one page a line; a fetch that fails leaves none."""
        file = tempfile.TemporaryFile(prefix="freshdesk-")  # noqa: SIM115
        weakref.finalize(self, file.close)
        for page in self._fetch(since):
            file.write(json.dumpb(page) + b"\n")
        return file
