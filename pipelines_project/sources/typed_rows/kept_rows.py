"""Rows kept in a temporary file, because they can be of any number, and surveyed on their way."""

import pickle
import tempfile
import weakref
from collections.abc import Iterator

from pipelines_project.sources.typed_rows.survey import Row, Survey, UnfitError

_ERRORS = (UnfitError, RecursionError, pickle.PicklingError, AttributeError, TypeError)

# A batch is held in memory, as Python objects of some five times its size in the file.
_BATCH_BYTES = 4 << 20
_BATCH_ROWS = 2_000


class KeptRows:
    """Rows in the order in which they were added, and what was seen in them."""

    def __init__(self) -> None:
        """Keep nothing yet."""
        self.seen = Survey()
        self._file = tempfile.TemporaryFile(prefix="rows-")  # noqa: SIM115
        weakref.finalize(self, self._file.close)
        self._batch: list[Row] = []
        self._batch_rows = 20
        self._count = 0

    def add(self, row: Row) -> None:
        """Keep a row.

        Raises:
            MisfitRowError: it, or one before, holds what no column takes.
        """
        self._batch.append(row)
        if len(self._batch) >= self._batch_rows:
            self._write()

    def batches(self) -> Iterator[tuple[int, list[Row]]]:
        """Yield the rows in batches, each with the number of rows before it.

        Raises:
            MisfitRowError: a row holds what no column takes.
        """
        self._write()
        before, end = 0, self._file.tell()
        self._file.seek(0)
        while self._file.tell() < end:
            batch: list[Row] = pickle.load(self._file)
            yield before, batch
            before += len(batch)

    def _write(self) -> None:
        if not self._batch:
            return
        try:
            self.seen.see_objects(self._batch)
            written = pickle.dumps(self._batch, pickle.HIGHEST_PROTOCOL)
        except (
            UnfitError,
            RecursionError,
            pickle.PicklingError,
            AttributeError,
            TypeError,
        ) as error:
            raise self._located(error) from error
        self._file.write(written)
        self._count += len(self._batch)
        row_bytes = len(written) // len(self._batch)
        self._batch_rows = max(1, min(_BATCH_ROWS, _BATCH_BYTES // (row_bytes + 1)))
        self._batch = []

    def _located(self, error: Exception) -> "MisfitRowError":
        """Return the error with the row that it is about."""
        for index, row in enumerate(self._batch):
            try:
                Survey().see_objects([row])
                pickle.dumps(row, pickle.HIGHEST_PROTOCOL)
            except (
                UnfitError,
                RecursionError,
                pickle.PicklingError,
                AttributeError,
                TypeError,
            ) as why:
                return MisfitRowError(self._count + index + 1, row, why)
        return MisfitRowError(self._count + 1, self._batch[0], error)


class MisfitRowError(Exception):
    """A row that holds what no column takes: its number from 1, the row, and why."""

    def __init__(self, number: int, row: Row, why: Exception) -> None:
        """Say which and why."""
        deep = isinstance(why, RecursionError)
        super().__init__("it is nested too deeply" if deep else str(why))
        self.number, self.row = number, row
        self.column = "__".join(why.path) if isinstance(why, UnfitError) else ""
