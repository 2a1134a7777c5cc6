"""What the tests of databases stand on: an empty schema of PostgreSQL, and an empty SQLite file."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from pipelines_project_tests.databases import VARIABLE, PostgresShop


@pytest.fixture
def shop(postgres: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[PostgresShop]:
    """A connection to an empty schema `shop`; the variable holds the database's URL."""
    monkeypatch.setenv(VARIABLE, postgres)
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute("create schema shop")
        connection.execute("set search_path = shop")
        yield PostgresShop(connection)
        connection.execute("drop schema shop cascade")


@pytest.fixture
def shop_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[sqlite3.Connection]:
    """A connection to an empty SQLite file; the variable holds its URL."""
    file = tmp_path / "shop.sqlite"
    monkeypatch.setenv(VARIABLE, f"sqlite:///{file}")
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        yield connection
