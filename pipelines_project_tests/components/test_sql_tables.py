"""A database's tables as a `defs.yaml` names them: landed, loaded, refused, and their secrets."""

import logging
import sqlite3
import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import psycopg
import pytest
import yaml
from dagster.components.testing import create_defs_folder_sandbox

from pipelines_project.components.sql_tables import SqlTables
from pipelines_project.landing.zone import LandingZone
from pipelines_project.months import month_of
from pipelines_project.warehouse.database import Warehouse
from pipelines_project_tests.code_location import range_tags
from pipelines_project_tests.kept import empty_instance

# As the documentation has it.
SHOP = """
type: pipelines_project.components.SqlTables
attributes:
  source: shop
  connection: SHOP_URL
  start_month: "2023-01"
  tables:
    - {name: orders, table: orders, key: [id], month_column: created_at}
    - {name: customers, table: customers, key: [id]}
"""
VARIABLE = "SHOP_URL"


class Shop:
    """The code location of one document, and where it lands and loads."""

    def __init__(
        self, defs: dg.Definitions, instance: dg.DagsterInstance, folder: Path, warehouse: Warehouse
    ) -> None:
        self.defs, self.instance, self.folder, self.warehouse = defs, instance, folder, warehouse

    def materialize(self, months: str, *tables: str) -> dg.ExecuteInProcessResult:
        """Materialize months of tables in landing zone and warehouse."""
        first, _, last = months.partition("...")
        stages = ("landing", "warehouse")
        return self.defs.resolve_implicit_global_asset_job_def().execute_in_process(
            instance=self.instance,
            asset_selection=[dg.AssetKey([stage, "shop", t]) for stage in stages for t in tables],
            partition_key=None if last else first,
            tags=range_tags(first, last) if last else None,
            raise_on_error=False,
        )

    def events(self) -> str:
        """Return everything that Dagster has recorded of all runs."""
        runs = self.instance.get_runs()
        return "\n".join(
            f"{entry}\n{dg.serialize_value(entry)}"
            for run in runs
            for entry in self.instance.all_logs(run.run_id)
        )


@contextmanager
def shop_location(folder: Path, document: str, **files: str) -> Iterator[Shop]:
    warehouse = Warehouse(url=str(folder / "warehouse.duckdb"))
    resources: dict[str, Any] = {
        "landing": LandingZone(url=str(folder / "landing")),
        "warehouse": warehouse,
    }
    with create_defs_folder_sandbox() as sandbox, warnings.catch_warnings():
        # Dagster warns of what it does itself; loading a real project hides that.
        warnings.simplefilter("ignore")
        source = sandbox.defs_folder_path / "shop"
        source.mkdir()
        (source / "defs.yaml").write_text(document)
        for name, text in files.items():
            (source / f"{name}.sql").write_text(text)
        with sandbox.build_all_defs() as defs, empty_instance() as instance:
            merged = dg.Definitions.merge(defs, dg.Definitions(resources=resources))
            yield Shop(merged, instance, folder, warehouse)


def with_attributes(**attributes: Any) -> str:
    document = yaml.safe_load(SHOP)
    document["attributes"] |= attributes
    return yaml.safe_dump(document)


@pytest.fixture
def shop_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[sqlite3.Connection]:
    """A shop in SQLite."""
    monkeypatch.setenv(VARIABLE, f"sqlite:///{tmp_path}/shop.sqlite")
    file = tmp_path / "shop.sqlite"
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("create table orders (id integer, created_at datetime)")
        connection.execute("create table customers (id integer, name text)")
        connection.execute(
            "insert into orders values (1, '2023-01-01'), (2, '2023-01-31 23:59:59'), "
            "(3, '2023-03-01'), (4, '2022-12-31')"
        )
        connection.execute("insert into customers values (1, 'Ada'), (2, 'Bo')")
        yield connection


@pytest.mark.stack
def test_a_document_lands_months_and_a_snapshot_of_postgres(
    postgres: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, postgres)
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(
            "create table orders (id int, price numeric(8,2), created_at timestamptz)"
        )
        connection.execute("create table customers (id int, name text)")
        connection.execute(
            "insert into orders values (1, 1.25, '2023-01-01 00:00+00'), (2, 2, '2023-03-05')"
        )
        connection.execute("insert into customers values (1, 'Ada'), (2, 'Bo')")
        this_month = month_of(datetime.now(UTC))
        try:
            with shop_location(tmp_path, SHOP) as shop:
                assert shop.materialize("2023-01...2023-03", "orders").success
                assert shop.materialize(this_month, "customers").success
                connection.execute("update customers set name = 'Bob' where id = 2")
                assert shop.materialize(this_month, "customers").success
        finally:
            connection.execute("drop table orders, customers")
    orders = shop.warehouse.rows("select id, price::text, month from shop.orders order by id")
    assert orders == [(1, "1.25", "2023-01"), (2, "2.00", "2023-03")]
    customers = shop.warehouse.rows("select id, name from shop.customers order by id")
    assert customers == [(1, "Ada"), (2, "Bob")]


@pytest.mark.parametrize(("said", "at_once"), [({}, 2), ({"months_at_once": 5}, 5)])
def test_two_months_are_read_at_once_unless_the_document_says_otherwise(
    said: dict[str, int], at_once: int
) -> None:
    attributes = yaml.safe_load(SHOP)["attributes"] | said

    tables = SqlTables.model_validate(attributes).monthly_tables()

    assert {table.months_at_once for table in tables} == {at_once}


@pytest.mark.stack
def test_a_month_without_rows_loads_as_an_empty_one(
    shop_file: sqlite3.Connection, tmp_path: Path
) -> None:
    with shop_location(tmp_path, SHOP) as shop:
        assert shop.materialize("2023-01...2023-03", "orders").success
    months = shop.warehouse.rows("select month, count(*) from shop.orders group by 1 order by 1")
    assert months == [("2023-01", 2), ("2023-03", 1)]


@pytest.mark.stack
def test_a_query_is_a_file_beside_the_document(
    shop_file: sqlite3.Connection, tmp_path: Path
) -> None:
    month = "created_at >= :month_start and created_at < :month_end"
    query = f"select id * 10 as tens from orders where {month}"
    document = with_attributes(tables=[{"name": "tens", "query": "tens.sql", "key": ["tens"]}])
    with shop_location(tmp_path, document, tens=query) as shop:
        assert shop.materialize("2023-01", "tens").success
    assert shop.warehouse.rows("select tens from shop.tens order by 1") == [(10,), (20,)]


@pytest.mark.stack
def test_a_column_renamed_mid_year_fails_its_months_and_leaves_the_others(
    shop_file: sqlite3.Connection, tmp_path: Path
) -> None:
    with shop_location(tmp_path, SHOP) as shop:
        assert shop.materialize("2023-01", "orders").success
        shop_file.execute("alter table orders rename created_at to created_on")
        assert not shop.materialize("2023-01...2023-02", "orders").success
        assert "no column 'created_at'" in shop.events()
        assert "'created_on'" in shop.events()
    assert shop.warehouse.rows("select count(*) from shop.orders") == [(2,)]


@pytest.mark.parametrize(
    ("attributes", "said"),
    [
        ({"connection": "postgresql://reader:s3cret@db/shop"}, "environment variable"),
        ({"connection": "{{ env.SHOP_SECRET }}"}, "environment variable"),
        ({"timeout_minutes": 0}, "more than 0"),
        ({"tables": [{"name": "orders"}]}, "either a `table` or a `query`"),
        (
            {"tables": [{"name": "orders", "table": "orders", "query": "x.sql"}]},
            "either a `table` or a `query`",
        ),
        ({"tables": [{"name": "orders", "query": "none.sql"}]}, "none.sql"),
        ({"tables": [{"name": "orders", "table": "orders", "chunk_rows": 0}]}, "at least 1"),
        ({"tables": [{"name": "orders", "table": "orders", "month_colum": "at"}]}, "month_colum"),
    ],
)
def test_a_wrong_setting_is_refused_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, attributes: dict[str, Any], said: str
) -> None:
    monkeypatch.setenv("SHOP_SECRET", "postgresql://reader:t0psecret@db/shop")
    with (
        pytest.raises(Exception) as caught,  # noqa: PT011
        shop_location(tmp_path, with_attributes(**attributes)) as shop,
    ):
        shop.defs.resolve_all_asset_specs()
    text = "\n".join(map(str, [caught.value, caught.value.__cause__, caught.value.__context__]))
    assert said in text
    assert "t0psecret" not in text


@pytest.mark.stack
def test_no_secret_is_in_events_logs_records_and_errors(
    postgres: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    with psycopg.connect(postgres, autocommit=True) as connection:
        [(hba,)] = connection.execute("show hba_file").fetchall()
        before = Path(hba).read_text()
        connection.execute("create role locked superuser login password 'c0rrect'")
        connection.execute(
            "create table orders (id int, price numeric(5,2), created_at timestamptz)"
        )
        connection.execute("insert into orders values (1, 'NaN', '2023-02-01 00:00+00')")
        Path(hba).write_text(f"local all locked scram-sha-256\n{before}")
        connection.execute("select pg_reload_conf()")
        ending = (
            "select pg_terminate_backend(pg_backend_pid()) as x, id from orders -- :month_start"
        )
        tables = [
            *yaml.safe_load(SHOP)["attributes"]["tables"],
            {"name": "ending", "query": "ending.sql"},
        ]
        try:
            with shop_location(tmp_path, with_attributes(tables=tables), ending=ending) as shop:

                def run(url: str, table: str, month: str = "2023-01") -> bool:
                    monkeypatch.setenv(VARIABLE, postgres.replace("postgresql://postgres:@", url))
                    return shop.materialize(month, table).success

                good = "postgresql://locked:c0rrect@"
                assert run(good, "orders")
                assert not run(good, "orders", "2023-02")
                assert not run(good, "customers", month_of(datetime.now(UTC)))
                assert not run(good, "ending")
                assert not run("postgresql://locked:wr0ng%2Fone@", "orders")
                monkeypatch.setenv(VARIABLE, "postgresql://locked:c0rrect@127.0.0.1:1/shop")
                assert not shop.materialize("2023-01", "orders").success
                events = shop.events()
        finally:
            Path(hba).write_text(before)
            connection.execute("select pg_reload_conf()")
            connection.execute("drop table orders")
            connection.execute("drop role locked")
    for said in ("holds NaN", "authentication failed", "Connection refused", "terminating"):
        assert said in events
    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    output = capfd.readouterr()
    for text in (events, caplog.text, output.out, output.err, kept.decode(errors="replace")):
        assert "c0rrect" not in text
        assert "wr0ng" not in text
