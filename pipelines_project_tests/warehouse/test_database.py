"""Every connection to the warehouse waits for its turn, and a transaction is whole or nothing."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest

from pipelines_project.sql_text import quoted
from pipelines_project.warehouse import database
from pipelines_project.warehouse.database import (
    Warehouse,
    WarehouseError,
    transaction,
)
from pipelines_project.warehouse.database_file import make_database_file

# Nothing of the project is imported, so that it starts at once.
_HOLD = """import duckdb, sys
c = duckdb.connect(sys.argv[1], read_only=sys.argv[2] == "True"); print('held', flush=True); input()
"""


@contextmanager
def _held_by_another_process(
    warehouse: Warehouse, *, read_only: bool = False
) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", _HOLD, warehouse.url, str(read_only)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.kill()


def _impatient(warehouse: Warehouse) -> Warehouse:
    return Warehouse(url=warehouse.url, lock_timeout_seconds=0.2)


@pytest.mark.stack
def test_the_error_says_which_process_holds_the_file(warehouse: Warehouse) -> None:
    with (
        _held_by_another_process(warehouse) as holder,
        pytest.raises(WarehouseError) as error,
        _impatient(warehouse).connect(),
    ):
        pass

    assert warehouse.url in str(error.value)
    assert f"PID {holder.pid}" in str(error.value)


@pytest.mark.stack
def test_another_process_is_waited_for(warehouse: Warehouse) -> None:
    with _held_by_another_process(warehouse) as holder, ThreadPoolExecutor(1) as thread:
        started = time.monotonic()
        waiting = thread.submit(warehouse.rows, "select 1")
        time.sleep(0.5)
        assert not waiting.done()
        holder.communicate("let go\n")

        assert waiting.result() == [(1,)]
        assert time.monotonic() - started < warehouse.lock_timeout_seconds


@pytest.mark.stack
def test_the_log_says_at_once_and_then_now_and_again_who_is_waited_for(
    warehouse: Warehouse, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse.rows("select 1")
    with _held_by_another_process(warehouse, read_only=True) as reader:
        for every_seconds, least, most in ((60, 1, 1), (0.05, 2, 8)):
            monkeypatch.setattr(database, "_TELL_EVERY_SECONDS", every_seconds)
            caplog.clear()
            with pytest.raises(WarehouseError):
                Warehouse(warehouse.url, lock_timeout_seconds=0.4).rows("select 1")

            waiting = rf"waiting for \S+ \(PID {reader.pid}\) to let go of {warehouse.url}, which"
            assert least <= len(caplog.messages) <= most
            assert all(re.match(waiting, message) for message in caplog.messages)


@pytest.mark.parametrize("path", ["{0}", "{0.parent}/./{0.name}", "{0.parent}/link/{0.name}"])
def test_two_connections_of_one_process_never_hold_the_file_together(
    warehouse: Warehouse, path: str
) -> None:
    file = Path(warehouse.url)
    (file.parent / "link").symlink_to(file.parent)
    second = Warehouse(url=path.format(file), lock_timeout_seconds=0.2)

    with (
        warehouse.connect(),
        pytest.raises(WarehouseError, match="already attached"),
        second.connect(),
    ):
        pass
    assert second.rows("select 1") == [(1,)]


@pytest.mark.stack
def test_connections_of_one_process_take_turns(warehouse: Warehouse) -> None:
    with warehouse.connect() as connection:
        connection.execute("create table counted (n integer)")

    def add(number: int) -> None:
        with warehouse.connect() as connection:
            connection.execute("insert into counted values ($n)", {"n": number})

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(add, range(16)))

    rows = warehouse.rows("select n from counted order by n")
    assert rows == [(number,) for number in range(16)]


def test_the_folder_of_the_file_is_made(tmp_path: Path) -> None:
    warehouse = Warehouse(url=str(tmp_path / "it's" / "new" / "warehouse.duckdb"))

    with warehouse.connect() as connection:
        connection.execute("create table kept as select 7 as n")

    assert warehouse.rows("select n from kept") == [(7,)]
    with duckdb.connect(warehouse.url, read_only=True) as plain:
        assert plain.execute("select n from kept").fetchall() == [(7,)]


def test_a_file_that_is_no_database_is_an_error_at_once(tmp_path: Path) -> None:
    file = tmp_path / "warehouse.duckdb"
    file.write_text("no database" * 1000)
    started = time.monotonic()

    with pytest.raises(WarehouseError, match=r"warehouse\.duckdb"):
        Warehouse(url=str(file)).rows("select 1")

    assert time.monotonic() - started < 10
    assert file.read_text() == "no database" * 1000


def test_times_are_utc_whatever_the_machine_says(warehouse: Warehouse) -> None:
    noon = "timestamptz '2023-01-01 12:00:00+00'"

    assert warehouse.rows("select current_setting('TimeZone')") == [("UTC",)]
    assert warehouse.rows(f"select cast({noon} as varchar)") == [("2023-01-01 12:00:00+00",)]


def test_a_query_takes_parameters(warehouse: Warehouse) -> None:
    assert warehouse.rows("select $a, $b", {"a": "x' or 1", "b": 2}) == [("x' or 1", 2)]


def _in_transaction(connection: duckdb.DuckDBPyConnection, *statements: str) -> None:
    with transaction(connection):
        for statement in statements:
            connection.execute(statement)


def test_what_is_raised_inside_a_transaction_undoes_it(warehouse: Warehouse) -> None:
    with warehouse.connect() as connection:
        connection.execute("create table kept as select 1 as n")
        changes = ("insert into kept values (2)", "create table more as select 1 as n")
        with pytest.raises(duckdb.CatalogException, match="unknown"):
            _in_transaction(connection, *changes, "select * from unknown")
        with pytest.raises(KeyboardInterrupt), transaction(connection):
            raise KeyboardInterrupt
        _in_transaction(connection, "insert into kept values (3)")

    assert warehouse.rows("select n from kept order by n") == [(1,), (3,)]
    assert warehouse.rows("select table_name from duckdb_tables()") == [("kept",)]


def test_a_commit_that_fails_says_why_and_leaves_the_connection_usable(
    warehouse: Warehouse,
) -> None:
    with warehouse.connect() as connection:
        connection.execute("create table kept as select 1 as n")
        # DuckDB finds out at the commit that the order is wrong.
        changes = ("delete from kept", "alter table kept add column more integer")
        with pytest.raises(duckdb.TransactionException, match=r"commit|alter"):
            _in_transaction(connection, *changes)

        assert connection.execute("select n from kept").fetchall() == [(1,)]
        _in_transaction(connection, "insert into kept values (2)")
    assert warehouse.rows("select count(*) from kept") == [(2,)]


@pytest.mark.parametrize(
    "name", ["plain", "select", "with space", 'quo"te', '"; drop table kept; --', "ünï"]
)
def test_any_name_is_an_identifier_once_quoted(warehouse: Warehouse, name: str) -> None:
    with warehouse.connect() as connection:
        connection.execute(f"create table {quoted(name)} ({quoted(name)} integer)")
        connection.execute(f"insert into {quoted(name)} ({quoted(name)}) values (1)")

        assert connection.execute("select table_name from duckdb_tables()").fetchall() == [(name,)]
        assert connection.execute(f"from {quoted(name)}").fetchall() == [(1,)]


_FULL_DISK = """
import resource, sys
from pipelines_project.warehouse.database import (Warehouse, WarehouseError)
for url, size in zip(sys.argv[1::2], sys.argv[2::2]):
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(size), resource.RLIM_INFINITY))
    try:
        Warehouse(url=url).rows("select 1")
    except WarehouseError as error:
        print(error)
"""


@pytest.mark.stack
def test_a_file_whose_first_writer_ran_out_of_disk_is_made_by_the_next(tmp_path: Path) -> None:
    warehouses = {
        size: Warehouse(url=str(tmp_path / f"{size}" / "warehouse.duckdb"))
        for size in (100, 4096, 8192)
    }
    full = [part for size, each in warehouses.items() for part in (each.url, str(size))]
    command = [sys.executable, "-c", _FULL_DISK, *full]
    first = subprocess.run(command, capture_output=True, text=True, check=True)

    for warehouse in warehouses.values():
        assert f"cannot open the warehouse {warehouse.url}" in first.stdout
        with warehouse.connect() as connection:
            connection.execute("create table t as select 1 as n")
        assert warehouse.rows("from t") == [(1,)]
        files = [path.name for path in Path(warehouse.url).parent.iterdir()]
        assert files == ["warehouse.duckdb"]


@pytest.mark.stack
def test_processes_that_make_the_file_at_once_write_into_one(warehouse: Warehouse) -> None:
    code = (
        "import sys; from pipelines_project.warehouse.database import Warehouse\n"
        "with Warehouse(url=sys.argv[1]).connect() as c:\n"
        "    c.execute('create table if not exists t (n int); insert into t values (1)')"
    )
    processes = [subprocess.Popen([sys.executable, "-c", code, warehouse.url]) for _ in range(3)]

    assert [process.wait(60) for process in processes] == [0, 0, 0]
    assert warehouse.rows("from t") == [(1,)] * 3
    assert [path.name for path in Path(warehouse.url).parent.iterdir()] == ["warehouse.duckdb"]


@pytest.mark.stack
def test_what_does_not_fit_into_memory_spills(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DUCKDB_MEMORY_LIMIT", "125MB")

    rows = "select i, repeat(cast(hash(i) as varchar), 5) as text from range(2_000_000) as t(i)"
    assert warehouse.rows(f"select count(*) from (select distinct text from ({rows}))") == [
        (2_000_000,)
    ]


def test_a_connection_has_the_memory_and_the_threads_of_the_settings(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DUCKDB_MEMORY_LIMIT", "1GiB")
    monkeypatch.setenv("DUCKDB_THREADS", "3")

    query = "select current_setting('memory_limit'), current_setting('threads')"
    assert warehouse.rows(query) == [("1.0 GiB", 3)]


def test_a_file_that_is_there_stays_as_it_is_and_what_a_killed_process_left_goes(
    tmp_path: Path,
) -> None:
    path = tmp_path / "it's [mine].duckdb"
    left = [tmp_path / f"{path.name}.{name}.new" for name in ("one", "two")]
    for each in left:
        each.write_bytes(b"cut off")
    (tmp_path / "other.duckdb.one.new").write_text("not mine")

    make_database_file(path)
    with duckdb.connect(str(path)) as connection:
        connection.execute("create table t as select 1 as n")
    before = path.read_bytes()
    left[0].write_bytes(b"cut off")
    make_database_file(path)

    assert path.read_bytes() == before
    assert {each.name for each in tmp_path.iterdir()} == {path.name, "other.duckdb.one.new"}


def test_a_file_that_another_process_makes_meanwhile_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, link = tmp_path / "w.duckdb", os.link

    def late(new: Path, name: Path) -> None:
        path.write_text("another's")
        link(new, name)

    monkeypatch.setattr(os, "link", late)
    make_database_file(path)

    assert path.read_text() == "another's"
    assert [*tmp_path.iterdir()] == [path]


def test_without_links_the_file_is_left_to_duckdb(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Path) -> None:
        raise PermissionError("no links here")

    monkeypatch.setattr(os, "link", refuse)
    make_database_file(tmp_path / "deep" / "w.duckdb")

    assert [*(tmp_path / "deep").iterdir()] == []
