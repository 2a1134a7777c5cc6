"""Published marts: each as one parquet file, which anything reads without the warehouse's lock."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet

from pipelines_project.landing.open_store import open_store
from pipelines_project.landing.storage import FileSystem, delete_unfinished, replace_file
from pipelines_project.names import checked_name
from pipelines_project.sql_text import literal
from pipelines_project.temporary import working_folder
from pipelines_project.warehouse.database import WarehouseError, transaction

# Its stubs know only a part of the types.
pq: Any = pyarrow.parquet

_CONTENT = "content"
# A view can show other rows each time that it is looked at.
_ATTEMPTS = 3


class NotPublishedError(WarehouseError):
    """A mart is built, and its file could not be written."""


@dataclass(frozen=True)
class PublishedFile:
    """The file of a mart, which need not be there yet."""

    fs: FileSystem
    path: str

    @property
    def content(self) -> str | None:
        """What the rows come to, as the file says itself; None without a file."""
        try:
            with self.fs.open(self.path, "rb") as stored:
                said: dict[bytes, bytes] = pq.read_metadata(stored).metadata or {}
        except FileNotFoundError:
            return None
        except pyarrow.ArrowInvalid:
            # It is damaged, and will be written anew.
            return None
        return said.get(_CONTENT.encode(), b"").decode()

    def delete(self) -> None:
        """Delete the file, and what is left of one half written."""
        with suppress(FileNotFoundError):
            self.fs.rm_file(self.path)
        delete_unfinished(self.fs, self.path)

    def publish(
        self, connection: duckdb.DuckDBPyConnection, table: str, content: Callable[[], str]
    ) -> None:
        """Put the rows of a table in the place of the file's, unless it has them already.

        Where a warehouse takes several writers, another build may have published newer rows
        meanwhile. So the file is compared once more after it was written.

        Args:
            connection: to the warehouse.
            table: the quoted name of the mart.
            content: returns what its rows come to now.

        Raises:
            NotPublishedError: the file cannot be written, and is as it was.
        """
        try:
            for _ in range(_ATTEMPTS):
                if not self._publish(connection, table, content):
                    break
            delete_unfinished(self.fs, self.path)
        except (OSError, duckdb.Error) as error:
            raise NotPublishedError(
                f"{table} is built, and could not be published as {self.path}, which is as it was: "
                f"{error}"
            ) from error

    def _publish(
        self, connection: duckdb.DuckDBPyConnection, table: str, content: Callable[[], str]
    ) -> bool:
        """Write the file, and tell whether that was needed."""
        with working_folder() as folder:
            local = Path(folder, "mart.parquet")
            with transaction(connection):
                held = content()
                if self.content == held:
                    return False
                connection.execute(
                    f"copy (from {table}) to {literal(str(local))} (format parquet, "
                    f"compression zstd, kv_metadata {{{_CONTENT}: {literal(held)}}})"
                )
            replace_file(self.fs, local, self.path)
        return True


def published_file(url: str, source: str, mart: str) -> PublishedFile:
    """Return where a mart is published.

    Args:
        url: what `PUBLISHED_URL` says: a path, or any URL that fsspec knows.
        source: the mart's source.
        mart: its name.

    Raises:
        LandingError: the URL is none.
    """
    fs, root = open_store(url, "PUBLISHED_URL")
    return PublishedFile(fs, f"{root}/{checked_name(source)}/{checked_name(mart)}.parquet")
