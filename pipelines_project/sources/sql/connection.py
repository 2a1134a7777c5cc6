"""The database that an environment variable names: its engine, and errors without its secrets."""

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import duckdb
import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, NoSuchTableError, SQLAlchemyError

from pipelines_project.extras import how_to_install
from pipelines_project.sources.http.api_calls import SourceError
from pipelines_project.sources.sql.settings import SqlSettings

CONNECT_SECONDS = 30
DATABASE_ERRORS = (SQLAlchemyError, duckdb.Error, ImportError)
# What a URL without a driver means: the one that the extra brings.
_DRIVERS = {
    "mysql": "mysql+pymysql",
    "mariadb": "mariadb+pymysql",
    "mssql": "mssql+pymssql",
}
_EXTRAS = {
    "postgresql": "postgres-source",
    "mysql": "mysql-source",
    "mariadb": "mysql-source",
    "mssql": "mssql-source",
}
_SECRET_OPTION = re.compile(r"pass|pwd|secret|token|key", re.IGNORECASE)
# What a server says that refuses a user, in contrast to one that is away for the moment.
_REFUSED = re.compile(
    r"password|authenticat|access denied for user|login failed|pg_hba|unknown database"
    r"|(database|role) \S+ does not exist|unable to open|could not translate host name",
    re.IGNORECASE,
)
_PASSING = re.compile(
    r"closed the connection|connection (refused|reset|timed out|.*lost)|lost connection"
    r"|gone away|terminating connection|starting up|shutting down|in recovery|too many (clients|"
    r"connections)|connection slots|conflict with recovery|deadlock|could not serialize"
    r"|connection to server|can't connect|timeout expired|connection failed|SSL SYSCALL",
    re.IGNORECASE,
)
_TIMED_OUT = re.compile(r"statement timeout|maximum statement execution|timed out", re.IGNORECASE)
_SHOWN = 400


class DatabaseAwayError(SourceError, ConnectionError):
    """The database could not be reached, or was lost: landing the month again may help."""


def database_url(settings: SqlSettings) -> sa.URL:
    """Return the URL that the environment variable holds.

    Raises:
        SourceError: it is not set, or no URL of SQLAlchemy.
    """
    text = os.environ.get(settings.connection, "").strip()
    example = "for example postgresql://user:password@host:5432/database"
    if not text:
        raise SourceError(
            f"the environment variable {settings.connection} is not set: it must hold the URL of "
            f"the database, {example}"
        )
    url = None
    with suppress(ArgumentError, ValueError):
        url = sa.make_url(text)
    if url is None:
        raise SourceError(
            f"the environment variable {settings.connection} holds no URL of a database: write "
            f"it as SQLAlchemy does, {example}"
        )
    file = url.database if url.drivername.startswith("sqlite") else None
    if file and not file.startswith(("file:", ":")) and not Path(file).is_file():
        raise SourceError(f"the SQLite file that {settings.connection} names is not there")
    if url.drivername.partition("+")[0] in ("postgres", "postgresql"):
        # Whatever driver is named: DuckDB's extension is the one that reads the rows.
        return url.set(drivername="postgresql+psycopg")
    return url.set(drivername=_DRIVERS.get(url.drivername, url.drivername))


def is_postgres(url: sa.URL) -> bool:
    """Tell whether the database is PostgreSQL."""
    return url.drivername.startswith("postgresql")


def engine_of(url: sa.URL, connect_args: dict[str, Any]) -> sa.Engine:
    """Return an engine that keeps no connection open and shows no values in errors."""
    # With question marks it would count those that stand for a parameter's name in a comment.
    style: Any = {"paramstyle": "named"} if url.drivername.startswith("sqlite") else {}
    return sa.create_engine(
        url, connect_args=connect_args, poolclass=sa.NullPool, hide_parameters=True, **style
    )


def explained(settings: SqlSettings, error: BaseException) -> SourceError:
    """Return what to do about a driver's error, without its secrets and apart from the error.

    The error that the driver raised can hold the URL, so that it must not be the new one's cause.
    """
    if isinstance(error, NoSuchTableError):
        return SourceError(
            f"there is no {settings.place}: correct `table`, with its schema if that is not the "
            "default one"
        )
    if isinstance(error, ImportError | NoSuchModuleError):
        return _missing_driver(settings, error)
    said = scrubbed(settings, str(getattr(error, "orig", None) or error))
    text = " ".join(said.split())[:_SHOWN]
    if _TIMED_OUT.search(text) and not _PASSING.search(text):
        return SourceError(
            f"{settings.place}: the statement took longer than timeout_minutes, "
            f"{settings.timeout_minutes:g}: raise it, or index the month column ({text})"
        )
    if _PASSING.search(text) and not _REFUSED.search(text):
        return DatabaseAwayError(
            f"{settings.place}: the database could not be reached or was lost: see whether it "
            f"runs and whether {settings.connection} names its host and port ({text})"
        )
    what = "`table`, `query` or the rights of the user"
    if _REFUSED.search(text):
        what = f"the environment variable {settings.connection}"
    return SourceError(f"{settings.place}: {text}: correct {what}")


def _missing_driver(settings: SqlSettings, error: BaseException) -> SourceError:
    url = database_url(settings)
    extra = _EXTRAS.get(url.drivername.partition("+")[0])
    how = how_to_install(extra) if extra else "install its Python package"
    return SourceError(
        f"the driver for {url.drivername}:// ({settings.connection}) is not installed: {how} "
        f"({scrubbed(settings, str(error))})"
    )


def scrubbed(settings: SqlSettings, text: str) -> str:
    """Return a text without the database's URL and password."""
    raw = os.environ.get(settings.connection, "").strip()
    secrets = {raw}
    with suppress(ArgumentError, ValueError):
        secrets |= set(_secrets(sa.make_url(raw)))
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        text = text.replace(secret, "***")
    return text


def _secrets(url: sa.URL) -> Iterator[str]:
    """Yield the URL and its password in every spelling that a driver may show."""
    yield url.render_as_string(hide_password=False)
    found = [str(url.password)] if url.password else []
    for name, value in url.query.items():
        if _SECRET_OPTION.search(name):
            found += [value] if isinstance(value, str) else value
    for secret in found:
        yield from (secret, quote(secret, safe=""), quote_plus(secret))
        yield secret.replace("\\", "\\\\").replace("'", "\\'")
