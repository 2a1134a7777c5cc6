"""How DuckDB attaches a warehouse, told from its URL: a DuckDB file, DuckLake or PostgreSQL."""

import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, cast

import duckdb
from fsspec.implementations.local import LocalFileSystem

from pipelines_project.landing.open_store import open_store
from pipelines_project.landing.storage import FileSystem
from pipelines_project.sql_text import literal

WAREHOUSE, LAKE_CATALOG = "warehouse", "warehouse_catalog"
_LAKE = "ducklake:"
_POSTGRES = re.compile(r"postgres:(?!//)|(?=postgres(?:ql)?://)")
_OF_HTTPFS = ("s3://", "s3a://", "gs://", "gcs://")
_SCHEME = re.compile(r"\w+:")
_PASSWORD = re.compile(
    r"(?P<of_url>://[^\s:/@]*:)[^\s@]+(?=@)|(?P<of_text>password\s*=\s*)('(\\.|[^'])*'|[^\s'\"]+)"
)


class Kind(StrEnum):
    """What a warehouse is, as DuckDB calls it."""

    FILE = "duckdb"
    LAKE = "ducklake"
    POSTGRES = "postgres"


class UnusableUrlError(ValueError):
    """The URL names no warehouse, or does not say enough; says which setting, and what it takes."""


@dataclass(frozen=True)
class Attachment:
    """What DuckDB attaches.

    Attributes:
        kind: what the warehouse is.
        target: what `ATTACH` takes, without the kind.
        has_many_writers: whether more than one process can write to it at once.
    """

    kind: Kind
    target: str
    has_many_writers: bool

    def extensions(self, data_url: str) -> list[str]:
        """Return the extensions of DuckDB that it needs, with its data at a URL.

        DuckLake insists on httpfs where its data is in S3, though fsspec reads and writes it.
        """
        lake = ["ducklake"] if self.kind == Kind.LAKE else []
        in_s3 = ["httpfs"] if lake and data_url.startswith(_OF_HTTPFS) else []
        return [*(["postgres_scanner"] if self.has_many_writers else []), *in_s3, *lake]

    @property
    def extra(self) -> str:
        """The extra of the project that has them."""
        return "lake" if self.kind == Kind.LAKE else "postgres"

    @property
    def file(self) -> Path | None:
        """The DuckDB file of the warehouse, if it is one."""
        is_file = self.kind == Kind.FILE and not _SCHEME.match(self.target)
        return Path(self.target) if is_file else None

    def attach(self, connection: duckdb.DuckDBPyConnection, data_url: str) -> None:
        """Attach it, and make it the default database.

        Args:
            connection: with the extensions.
            data_url: where DuckLake keeps its data, if the setting says so.
        """
        target, options = self.target, ""
        if self.kind == Kind.POSTGRES:
            options = " (type postgres)"
        elif self.kind == Kind.LAKE:
            target, options = f"{_LAKE}{target}", f" ({_lake_options(connection, data_url)})"
        connection.execute(f"attach {literal(target)} as {WAREHOUSE}{options}; use {WAREHOUSE}")


def kind_of_url(url: str) -> Kind:
    """Return what a URL names, whether or not it can be attached."""
    if _POSTGRES.match(url):
        return Kind.POSTGRES
    return Kind.LAKE if url.startswith(_LAKE) else Kind.FILE


def attachment(url: str, data_url: str = "") -> Attachment:
    """Return what a URL names.

    Raises:
        UnusableUrlError: it is none that a warehouse can have.
    """
    if url in ("", ":memory:"):
        raise UnusableUrlError("WAREHOUSE_URL must be a database that stays, such as a file")
    if match := _POSTGRES.match(url):
        return Attachment(Kind.POSTGRES, url[match.end() :], has_many_writers=True)
    if not url.startswith(_LAKE):
        return Attachment(Kind.FILE, url, has_many_writers=False)
    catalog = url.removeprefix(_LAKE)
    if match := _POSTGRES.match(catalog):
        if not data_url:
            raise UnusableUrlError(
                "WAREHOUSE_URL is DuckLake with its catalog in PostgreSQL, and WAREHOUSE_DATA_URL "
                "does not say where its data is: a folder, or a URL such as s3://bucket/lake"
            )
        target = f"postgres:{catalog[match.end() :]}"
        return Attachment(Kind.LAKE, target, has_many_writers=True)
    if not catalog or _SCHEME.match(catalog):
        raise UnusableUrlError(
            "WAREHOUSE_URL must name the catalog of DuckLake as ducklake:postgres:…, or as a "
            "DuckDB file, ducklake:data/lake.ducklake"
        )
    return Attachment(Kind.LAKE, catalog, has_many_writers=False)


def kind_of(connection: duckdb.DuckDBPyConnection) -> Kind:
    """Return what the warehouse of a connection is."""
    query = "select type from duckdb_databases() where database_name = $name"
    [(kind,)] = connection.execute(query, {"name": WAREHOUSE}).fetchall()
    return Kind(kind)


def without_password(text: str) -> str:
    """Return the text with the passwords of connection strings left out."""
    return _PASSWORD.sub(lambda found: f"{found['of_url'] or found['of_text']}***", text)


def _register(connection: duckdb.DuckDBPyConnection, fs: FileSystem) -> None:
    """Let DuckDB write where fsspec does, by the settings that fsspec finds.

    A connection that attaches once more, after a conflict, has it already.
    """
    protocols = {fs.protocol} if isinstance(fs.protocol, str) else {*fs.protocol}
    if not isinstance(fs, LocalFileSystem) and not protocols & {*connection.list_filesystems()}:
        connection.register_filesystem(cast(Any, fs))


def _lake_options(connection: duckdb.DuckDBPyConnection, data_url: str) -> str:
    # Rows in the catalog would stay there when a person is forgotten, and some names of columns
    # could not be used.
    options = f"data_inlining_row_limit 0, metadata_catalog {literal(LAKE_CATALOG)}"
    if not data_url:
        return options
    fs, path = open_store(data_url, "WAREHOUSE_DATA_URL")
    _register(connection, fs)
    # DuckLake compares it with what the catalog has, so it may not hang on the working directory.
    url = data_url if "://" in data_url else path
    return f"{options}, data_path {literal(url.rstrip('/') + '/')}"
