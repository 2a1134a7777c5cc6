"""What is said of a database that cannot be used, and that its secrets are not said."""

import os
import sys
import traceback
from pathlib import Path

import pytest

from pipelines_project.landing.causes import is_passing_fault
from pipelines_project.landing.zone import LandingZone
from pipelines_project.sources.sql import connection
from pipelines_project.sources.sql.settings import SqlSettings
from pipelines_project_tests.databases import VARIABLE, PostgresShop, landed, refusal

PASSWORD = "s3cret'%/:@ word"
ENCODED = "s3cret%27%25%2F%3A%40%20word"


def test_a_variable_that_is_not_set_is_named(
    landing: LandingZone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    assert f"{VARIABLE} is not set" in str(refusal(landing, table="orders"))


@pytest.mark.parametrize(
    "text", ["s3cret", "://s3cret", "http//s3cret@x", "postgresql://:s3cret@:x"]
)
def test_what_is_no_url_is_not_shown(
    landing: LandingZone, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv(VARIABLE, text)
    error = refusal(landing, table="orders")
    assert VARIABLE in str(error)
    assert "s3cret" not in "".join(traceback.format_exception(error))


def test_an_unreachable_server_is_a_fault_that_may_pass(
    landing: LandingZone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, f"postgresql://reader:{ENCODED}@127.0.0.1:1/shop")
    error = refusal(landing, table="orders")
    assert is_passing_fault(error)
    assert VARIABLE in str(error)
    assert PASSWORD not in "".join(traceback.format_exception(error))


@pytest.mark.stack
def test_a_wrong_password_is_refused_at_once_and_not_shown(
    postgres: str, shop: PostgresShop, landing: LandingZone, monkeypatch: pytest.MonkeyPatch
) -> None:
    [(file,)] = shop.execute("show hba_file").fetchall()
    before = Path(file).read_text()
    shop.execute("create role locked login password 'another'")
    Path(file).write_text(f"local all locked scram-sha-256\n{before}")
    shop.execute("select pg_reload_conf()")
    try:
        monkeypatch.setenv(VARIABLE, postgres.replace("postgres:@", f"locked:{ENCODED}@"))
        error = refusal(landing, table="shop.orders")
    finally:
        Path(file).write_text(before)
        shop.execute("select pg_reload_conf()")
        shop.execute("drop role locked")
    assert "password authentication failed" in str(error)
    assert f"correct the environment variable {VARIABLE}" in str(error)
    assert not is_passing_fault(error)
    shown = "".join(traceback.format_exception(error))
    assert PASSWORD not in shown
    assert ENCODED not in shown


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("mysql+mysqldb://u:p@h/d", "pip install -c constraints.txt -e '.[mysql-source]'"),
        ("mssql+pyodbc://u:p@h/d", "pip install -c constraints.txt -e '.[mssql-source]'"),
        ("oracle://u:p@h/d", "Python package"),
        ("nosuch://u:p@h/d", "Python package"),
    ],
)
def test_a_missing_driver_is_named_with_the_extra_that_brings_one(
    landing: LandingZone, monkeypatch: pytest.MonkeyPatch, url: str, said: str
) -> None:
    monkeypatch.setenv(VARIABLE, url)
    error = str(refusal(landing, table="orders"))
    assert said in error
    assert VARIABLE in error


@pytest.mark.stack
@pytest.mark.parametrize("module", ["psycopg", "psycopg.conninfo", "duckdb_extensions"])
def test_what_the_extra_for_postgres_brings_is_named_where_it_is_missing(
    shop: PostgresShop, landing: LandingZone, monkeypatch: pytest.MonkeyPatch, module: str
) -> None:
    shop.execute("create table orders (id int)")
    monkeypatch.setitem(sys.modules, module, None)
    # As in a process that has not read from PostgreSQL yet.
    monkeypatch.setattr(os, "getpid", lambda: -1)
    assert "pip install -c constraints.txt -e '.[postgres-source]'" in str(
        refusal(landing, table="shop.orders")
    )


@pytest.mark.stack
@pytest.mark.parametrize("scheme", ["postgres", "postgresql+psycopg2", "postgresql+pg8000"])
def test_other_spellings_of_postgres_are_taken(
    postgres: str,
    shop: PostgresShop,
    landing: LandingZone,
    monkeypatch: pytest.MonkeyPatch,
    scheme: str,
) -> None:
    shop.execute("create table orders (id int)")
    monkeypatch.setenv(VARIABLE, postgres.replace("postgresql:", f"{scheme}:"))
    assert landed(landing, table="shop.orders").column_names == ["id"]


@pytest.mark.parametrize("driver", ["mysql+pymysql", "mssql+pymssql"])
def test_other_servers_that_cannot_be_reached_are_named_too(
    landing: LandingZone, monkeypatch: pytest.MonkeyPatch, driver: str
) -> None:
    monkeypatch.setattr(connection, "CONNECT_SECONDS", 1)
    monkeypatch.setenv(VARIABLE, f"{driver}://reader:{ENCODED}@127.0.0.1:1/shop")
    error = refusal(landing, table="orders")
    assert VARIABLE in str(error)
    assert PASSWORD not in "".join(traceback.format_exception(error))


@pytest.mark.parametrize("name", ["nobody", "nowhere"])
def test_a_role_or_database_that_is_not_there_is_refused_at_once(
    postgres: str, landing: LandingZone, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    url = postgres.replace("/postgres?", "/nowhere?") if name == "nowhere" else postgres
    monkeypatch.setenv(VARIABLE, url.replace("postgres:@", "nobody:@") if name == "nobody" else url)
    error = refusal(landing, table="orders")
    assert f'"{name}" does not exist' in str(error)
    assert f"correct the environment variable {VARIABLE}" in str(error)
    assert not is_passing_fault(error)


def test_every_spelling_of_a_secret_is_taken_out_of_a_text(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    url = f"postgresql://reader:{ENCODED}@db.example/shop?sslpassword=t0ken"
    monkeypatch.setenv(VARIABLE, url)
    spellings = [url, PASSWORD, ENCODED, PASSWORD.replace("'", "\\'"), "t0ken"]
    settings = SqlSettings("orders", VARIABLE)
    text = connection.scrubbed(settings, f"at db.example: {' and '.join(spellings)}")
    assert text == "at db.example: *** and *** and *** and *** and ***"
