"""Where the data under test is: on the disk, in S3, in PostgreSQL; kept under names, brought back.

`make faults STORE=s3` puts the landing zone into S3; `WAREHOUSE=postgres` the warehouse into
PostgreSQL; `WAREHOUSE=ducklake` its catalog there, and its data beside the landing zone.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from pipelines_project.landing.zone import LandingZone
from pipelines_project.warehouse.database import Warehouse
from pipelines_project_tests.databases import url_of
from pipelines_project_tests.object_store import signed_in

STORE = os.environ.get("STORE") or "disk"
WAREHOUSE = os.environ.get("WAREHOUSE") or "file"
IS_ALL_ON_DISK = (STORE, WAREHOUSE) == ("disk", "file")

_NOW = "data"
"""The folder, or prefix, of what runs write to; what is kept lies beside it."""


@cache
def _s3() -> Any:
    return boto3.client("s3")


@dataclass(frozen=True)
class Bucket:
    """A bucket of an S3 that the environment names."""

    name: str

    def keys(self, prefix: str) -> list[str]:
        """Return the keys below a prefix."""
        pages = _s3().get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=prefix)
        return [each["Key"] for page in pages for each in page.get("Contents", [])]

    def save(self, name: str) -> None:
        self._copy(_NOW, name)

    def restore(self, name: str) -> None:
        for key in self.keys(f"{_NOW}/"):
            _s3().delete_object(Bucket=self.name, Key=key)
        if name:
            self._copy(name, _NOW)

    def _copy(self, prefix: str, other: str) -> None:
        for key in self.keys(f"{prefix}/"):
            source = {"Bucket": self.name, "Key": key}
            copied = other + key.removeprefix(prefix)
            _s3().copy_object(Bucket=self.name, Key=copied, CopySource=source)


@dataclass(frozen=True)
class Database:
    """A database of a PostgreSQL, and the databases that it is kept in."""

    server: str
    name: str

    @property
    def url(self) -> str:
        return url_of(self.server, self.name)

    def save(self, name: str) -> None:
        self._make(f"{self.name} {name}", template=self.name)

    def restore(self, name: str) -> None:
        self._make(self.name, template=f"{self.name} {name}" if name else "template0")

    def _make(self, name: str, template: str) -> None:
        """Make a database as another one is, whatever connections each has."""
        with psycopg.connect(self.server, autocommit=True) as connection:
            drop = SQL("drop database if exists {} with (force)")
            connection.execute(drop.format(Identifier(name)))
            end = "select pg_terminate_backend(pid) from pg_stat_activity where datname = %s"
            connection.execute(end, [template])
            create = SQL("create database {} template {}")
            connection.execute(create.format(Identifier(name), Identifier(template)))


@dataclass(frozen=True)
class Stores:
    """Landing zone and warehouse under test.

    Attributes:
        folder: what is on the disk is in its `data`, the folder for temporary files among it.
        bucket: has the landing zone, and a lake, unless they are on the disk.
        database: has the warehouse, or its catalog, unless it is a file.
        is_lake: whether the warehouse is DuckLake.
    """

    folder: Path
    bucket: Bucket | None = None
    database: Database | None = None
    is_lake: bool = False

    @property
    def data(self) -> Path:
        return self.folder / _NOW

    @property
    def root(self) -> str:
        """The path of what holds the landing zone, without the scheme of its URL."""
        return f"{self.bucket.name}/{_NOW}" if self.bucket else str(self.data)

    @property
    def environment(self) -> dict[str, str]:
        """The settings of definitions that use them."""
        scheme = "s3://" if self.bucket else ""
        warehouse = self.database.url if self.database else f"{self.data}/warehouse.duckdb"
        return {
            "LANDING_URL": f"{scheme}{self.root}/landing",
            "WAREHOUSE_URL": f"ducklake:postgres:{warehouse}" if self.is_lake else warehouse,
            "WAREHOUSE_DATA_URL": f"{scheme}{self.root}/lake" if self.is_lake else "",
            "PUBLISHED_URL": f"{self.data}/published",
        }

    @property
    def landing(self) -> LandingZone:
        return LandingZone(url=self.environment["LANDING_URL"])

    def warehouse(self, lock_timeout_seconds: int) -> Warehouse:
        """Return the warehouse, whose lock is waited for so long."""
        url, data_url = (self.environment[f"WAREHOUSE_{name}"] for name in ("URL", "DATA_URL"))
        return Warehouse(url=url, data_url=data_url, lock_timeout_seconds=lock_timeout_seconds)

    def landed_files(self) -> set[str]:
        """Return the files in the landing zone, as paths below it."""
        if self.bucket:
            prefix = f"{_NOW}/landing/"
            return {key.removeprefix(prefix) for key in self.bucket.keys(prefix)}
        landing = self.data / "landing"
        return {str(path.relative_to(landing)) for path in landing.rglob("*") if path.is_file()}

    def save(self, name: str) -> None:
        """Keep the data as it is now under a name."""
        shutil.copytree(self.data, self.folder / name)
        for store in (self.bucket, self.database):
            if store:
                store.save(name)

    def restore(self, name: str = "") -> None:
        """Bring back what was kept under the name, or nothing."""
        # The folder itself stays, because it may be a disk of its own.
        for path in self.data.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        if name:
            shutil.copytree(self.folder / name, self.data, dirs_exist_ok=True)
        (self.data / "tmp").mkdir(parents=True, exist_ok=True)
        for store in (self.bucket, self.database):
            if store:
                store.restore(name)


@contextmanager
def chosen_stores(name: str, folder: Path, server: Callable[[str], str]) -> Iterator[Stores]:
    """Give empty stores of the kinds that `make faults` is told.

    Args:
        name: tells them apart from others of the same servers.
        folder: for what is on the disk.
        server: starts `s3` or `postgres`, if it does not run yet, and returns its URL.
    """
    with pytest.MonkeyPatch.context() as patch:
        bucket = database = None
        if STORE == "s3":
            for variable, value in signed_in(server("s3")).items():
                patch.setenv(variable, value)
            bucket = Bucket(f"faults-{name.replace('_', '-')}")
            _s3().create_bucket(Bucket=bucket.name)
        if WAREHOUSE != "file":
            database = Database(server("postgres"), f"warehouse_{name}")
            database.restore("")
        yield Stores(folder, bucket, database, WAREHOUSE == "ducklake")
