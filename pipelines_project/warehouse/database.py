"""The warehouse: any database that DuckDB attaches, reached by loads, checks and marts alike."""

import logging
import re
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import duckdb
from tenacity import RetryCallState, Retrying, stop_after_delay, wait_random_exponential

from pipelines_project.extensions import load_extension, trusted
from pipelines_project.extras import how_to_install
from pipelines_project.landing.errors import LandingError
from pipelines_project.temporary import duckdb_session
from pipelines_project.warehouse.attachment import (
    Attachment,
    Kind,
    UnusableUrlError,
    attachment,
    kind_of_url,
    without_password,
)
from pipelines_project.warehouse.database_file import make_database_file

_REPAIR = (
    "If the file is damaged, move it away and load all months again from the landing zone: "
    "docs/repair.md"
)
_LOCKED = re.compile(r"Could not set lock|Unique file handle conflict", re.IGNORECASE)
_HOLDER = re.compile(r"held in (.+? \(PID \d+\))")
_TELL_EVERY_SECONDS = 60.0


class WarehouseError(Exception):
    """The warehouse cannot take what it was asked to; says which table and month, and why."""


class UnfitMonthError(WarehouseError):
    """A month cannot be loaded as it is landed: to land it again can help, to load it cannot."""


@contextmanager
def transaction(connection: duckdb.DuckDBPyConnection) -> Generator[None]:
    """Commit what is done inside, or roll all of it back if anything is raised."""
    connection.begin()
    try:
        yield
        connection.commit()
    except BaseException:
        _roll_back(connection)
        raise


def _roll_back(connection: duckdb.DuckDBPyConnection) -> None:
    try:
        connection.rollback()
    except duckdb.TransactionException:
        # A commit that fails has ended its transaction already, and no other can be open here.
        return


@dataclass(frozen=True)
class Warehouse:
    """A DuckDB file by default; DuckLake and PostgreSQL by what their `ATTACH` takes.

    Attributes:
        url: what DuckDB attaches: a file, `ducklake:…` or `postgres:…`.
        lock_timeout_seconds: how long to wait for another process to let go of the file.
        log: where it is said who is waited for.
        data_url: where DuckLake keeps its data: a folder, or a URL that fsspec knows.
        published_url: where its marts are kept as parquet too; None for nowhere.
    """

    url: str = "data/warehouse.duckdb"
    lock_timeout_seconds: float = 120.0
    log: logging.Logger = field(default=logging.getLogger(__name__), repr=False, compare=False)
    data_url: str = ""
    published_url: str | None = None

    @property
    def kind(self) -> str:
        """What the warehouse is: `duckdb`, `ducklake` or `postgres`."""
        return kind_of_url(self.url).value

    @contextmanager
    def connect(self) -> Generator[duckdb.DuckDBPyConnection]:
        """Give a DuckDB connection whose default database is the warehouse.

        Raises:
            WarehouseError: the file is still locked after `lock_timeout_seconds`; DuckDB's
                message, which is part of it, names the process that holds it.
        """
        config: dict[str, bool | int | str] = {
            # Rows have no order, and not keeping one lets a load of any size stream.
            "preserve_insertion_order": False,
            # At each checkpoint DuckDB writes the table's last rows anew, up to 122,880 of them. At
            # its own 16 MB that was a third of the time of loading 120 months of 1,000 games.
            "checkpoint_threshold": "64MB",
        }
        try:
            attached = attachment(self.url, self.data_url)
        except UnusableUrlError as error:
            raise WarehouseError(str(error)) from error
        extensions = attached.extensions(self.data_url)
        config |= trusted(*extensions)
        with duckdb_session(**config) as connection:
            connection.execute("set TimeZone = 'UTC'")
            _load_extensions(connection, extensions, attached.extra)
            self._attach(connection, attached)
            yield connection

    def _attach(self, connection: duckdb.DuckDBPyConnection, attached: Attachment) -> None:
        retrying = Retrying(
            stop=stop_after_delay(self.lock_timeout_seconds),
            wait=wait_random_exponential(multiplier=0.05, max=2),
            retry=partial(_is_passing, attached),
            before_sleep=self._tell_waiting(),
            reraise=True,
        )
        try:
            if attached.file:
                make_database_file(attached.file)
            retrying(attached.attach, connection, self.data_url)
        except LandingError as error:
            raise WarehouseError(str(error)) from error
        except (duckdb.Error, OSError) as error:
            reason = f"cannot open the warehouse {self.url[:200]} (WAREHOUSE_URL): {error}"
        else:
            return
        # Apart from the database's error, which can repeat what it was to connect with.
        advice = f"\n{_REPAIR}" if attached.file else ""
        raise WarehouseError(f"{without_password(reason)[:1000]}{advice}")

    def _tell_waiting(self) -> Callable[[RetryCallState], None]:
        """Return what says who is waited for, at once and then every minute."""
        tell_at = 0.0

        def tell(state: RetryCallState) -> None:
            nonlocal tell_at
            waited = state.seconds_since_start or 0.0
            if waited < tell_at:
                return
            tell_at = waited + _TELL_EVERY_SECONDS
            error = str(state.outcome.exception()) if state.outcome else ""
            holder = _HOLDER.search(error)
            self.log.warning(
                f"waiting for {holder[1] if holder else 'this process'} to let go of {self.url}, "
                f"which it has open: {waited:.0f} s so far, {self.lock_timeout_seconds:.0f} s at "
                "most"
            )

        return tell

    def rows(self, sql: str, parameters: dict[str, Any] | None = None) -> list[tuple[Any, ...]]:
        """Return what a query answers."""
        with self.connect() as connection:
            return connection.execute(sql, parameters or {}).fetchall()


def _is_passing(attached: Attachment, state: RetryCallState) -> bool:
    """Tell whether another process may be in the way: it holds the file, or makes the catalog."""
    error = state.outcome.exception() if state.outcome else None
    if not isinstance(error, duckdb.Error):
        return False
    is_catalog_made = attached.kind is Kind.LAKE and attached.has_many_writers
    return bool(_LOCKED.search(str(error))) or (is_catalog_made and state.attempt_number < 4)


def _load_extensions(
    connection: duckdb.DuckDBPyConnection, extensions: Sequence[str], extra: str
) -> None:
    try:
        for name in extensions:
            load_extension(connection, name)
    except ModuleNotFoundError as error:
        raise WarehouseError(
            f"WAREHOUSE_URL needs DuckDB's extension {extensions[-1]}, and {error.name} "
            f"is not installed: {how_to_install(extra)}"
        ) from error
