"""The folder `versions/` beside a `defs.yaml`: applied before loads, or refused with its file."""

import shutil
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from dagster.components.core.component_tree import ComponentTreeException
from dagster.components.testing import create_defs_folder_sandbox

from pipelines_project.broken_sources import told
from pipelines_project.components.file_tables import FileTable
from pipelines_project.components.files import Files
from pipelines_project.components.freshdesk import FreshdeskSource
from pipelines_project.components.source_versions import versions_of
from pipelines_project.forget.forgetting import Forgetting
from pipelines_project_tests.code_location import Run
from pipelines_project_tests.document_location import DocumentLocation, folder_location
from pipelines_project_tests.landings import ids_ago, place_of, write_load

pytestmark = pytest.mark.stack

MONTHS = ("2024-01", "2024-02")
ORDERS, CLIENTS, TOTALS = "warehouse/shop/orders", "warehouse/shop/clients", "marts/shop/totals"
DOCUMENTS = """
type: pipelines_project.components.Files
attributes:
  source: shop
  raw_url: data/raw
  start_month: "2024-01"
  tables:
    - {name: orders, files: "orders/%Y-%m/*.csv", key: [id], subject: customer}
    - {name: clients, files: "clients/%Y-%m.csv", key: [id], loader: history, whole_months: true}
---
type: pipelines_project.components.SqlModels
attributes:
  source: shop
"""
RENAME = "alter table shop.orders rename column customer to client"
DROP = "alter table shop.orders drop column"
RENAME_KEYS = """
alter table shop.orders rename column id to number;
alter table shop.clients rename column id to number;
"""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    (folder / "versions").mkdir(parents=True)
    (folder / "defs.yaml").write_text(DOCUMENTS)
    return folder


Deployed = Callable[..., Any]


@pytest.fixture
def deployed(tmp_path: Path, source: Path) -> Deployed:
    """Gives the code location as it is when it has these versions, and a mart that reads them."""

    @contextmanager
    def deployed(mart: str, *files: str) -> Iterator[DocumentLocation]:
        (source / "marts").mkdir(exist_ok=True)
        (source / "marts" / "totals.sql").write_text(mart)
        for number, sql in enumerate(files, start=1):
            (source / "versions" / f"{number:03}_change.sql").write_text(sql)
        with folder_location(tmp_path, source) as location:
            yield location

    return deployed


def _land(location: DocumentLocation) -> None:
    for month in MONTHS:
        rows = [{"id": n, "customer": f"c{n}", "note": month} for n in (1, 2)]
        for table in ("orders", "clients"):
            place = place_of(location.landing, month, table, "shop")
            write_load(place, ids_ago(0)[0], [rows])


def _mart(column: str) -> str:
    return f"select {column} as client, count(*) as orders from shop.orders group by all"


def _apply(location: DocumentLocation, **config: Any) -> Run:
    job = location.defs.resolve_job_def("shop_apply_versions")
    result = job.execute_in_process(
        instance=location.instance,
        run_config={"ops": {"shop_apply_pending_versions": {"config": config}}},
        raise_on_error=False,
    )
    return Run(result, location.instance)


def _rebuild(location: DocumentLocation) -> Run:
    result = location.defs.resolve_job_def("shop_rebuild_warehouse").execute_in_process(
        instance=location.instance,
        run_config={"ops": {"shop_rebuild_tables": {"config": {}}}},
        raise_on_error=False,
    )
    return Run(result, location.instance)


def _columns(location: DocumentLocation, table: str) -> list[str]:
    query = f"select column_name from (describe shop.{table})"
    return [name for (name,) in location.rows(query)]


def test_loads_checks_and_marts_go_on_after_keys_and_other_columns_were_renamed(
    deployed: Deployed,
) -> None:
    with deployed(_mart("customer")) as before:
        _land(before)
        assert before.materialize(MONTHS[0], ORDERS, CLIENTS).result.success
        assert before.materialize("", TOTALS).result.success

    with deployed(_mart("client"), RENAME, RENAME_KEYS) as after:
        run = after.materialize("...".join(MONTHS), ORDERS, CLIENTS)
        assert run.result.success, run.error
        assert {name for name, check in run.checks().items() if not check.passed} == set()
        assert {"orders_have_unique_keys", "clients_have_unique_keys"} <= run.checks().keys()
        assert after.materialize("", TOTALS).result.success

        assert _columns(after, "orders") == ["month", "number", "client", "note"]
        assert after.rows("from shop_marts.totals order by all") == [("c1", 2), ("c2", 2)]
        first, second = MONTHS
        assert after.rows("select number, note, until_month from shop.clients order by all") == [
            (1, first, second),
            (1, second, None),
            (2, first, second),
            (2, second, None),
        ]

        before_rebuilding = after.rows("from shop.orders order by all")
        with after.warehouse.connect() as connection:
            connection.execute("delete from shop.orders")
        assert _rebuild(after).result.success
        assert after.rows("from shop.orders order by all") == before_rebuilding


def test_a_person_is_forgotten_by_the_column_s_old_name(deployed: Deployed, tmp_path: Path) -> None:
    index = "create index by_client on shop.orders (client)"
    with deployed(_mart("client"), RENAME, index) as location:
        _land(location)
        assert location.materialize("...".join(MONTHS), ORDERS).result.success
        settings = FileTable(
            name="orders", files="orders/%Y-%m/*.csv", key=["id"], subject="customer"
        )
        shop = Files(source="shop", raw_url="data/raw", tables=[settings])
        forgetting = Forgetting(
            "c1", location.landing, location.warehouse, shop.monthly_tables(), []
        )

        assert forgetting.look()["orders 2024-01"] == {"current load": 1, "warehouse": 1}
        assert [*forgetting.forget()]

        assert forgetting.look() == {}
        assert location.rows("select client from shop.orders") == [("c2",), ("c2",)]
        assert location.rows("select index_name from duckdb_indexes()") == [("by_client",)]


def test_a_dry_run_lists_what_would_run_and_the_job_runs_it(deployed: Deployed) -> None:
    with deployed(_mart("customer")) as before:
        _land(before)
        assert before.materialize(MONTHS[0], ORDERS).result.success

    with deployed(_mart("client"), RENAME) as after:
        listed = {
            "001_change.sql": ['alter table "shop"."orders" rename column "customer" to "client"']
        }
        assert _apply(after, dry_run=True).output_metadata == {"versions": listed}
        assert "customer" in _columns(after, "orders")
        assert _apply(after).output_metadata == {"versions": listed}
        assert "client" in _columns(after, "orders")
        assert _apply(after).output_metadata == {"versions": {}}


def test_a_version_that_fails_blocks_loads_and_leaves_the_tables(deployed: Deployed) -> None:
    with deployed(_mart("customer")) as before:
        _land(before)
        assert before.materialize(MONTHS[0], ORDERS).result.success

    with deployed(
        _mart("customer"), f"{RENAME}; alter table shop.orders drop column typo"
    ) as after:
        run = after.materialize(MONTHS[1], ORDERS)

        assert not run.result.success
        assert "001_change.sql cannot be applied: " in run.error
        assert "has no column typo: there are month, id, client, note" in run.error
        assert "nothing of shop is loaded before the file is mended" in run.error
        assert "001_change.sql cannot be applied" in _rebuild(after).error
        assert "001_change.sql cannot be applied" in _apply(after).error
        assert after.rows("select distinct month, customer from shop.orders order by all") == [
            (MONTHS[0], "c1"),
            (MONTHS[0], "c2"),
        ]

    with deployed(_mart("client"), RENAME) as mended:
        assert mended.materialize(MONTHS[1], ORDERS).result.success


def test_an_edited_version_blocks_loads(deployed: Deployed) -> None:
    with deployed(_mart("client"), RENAME) as before:
        _land(before)
        assert before.materialize(MONTHS[0], ORDERS).result.success

    with deployed(_mart("client"), f"-- why\n{RENAME}") as after:
        run = after.materialize(MONTHS[1], ORDERS)

        assert not run.result.success
        assert "001_change.sql is applied to the warehouse and was edited since" in run.error


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        (
            "alter table shop.ordres drop column a",
            "shop.ordres is no table of shop: there are",
        ),
        ("drop table shop.orders", "shop.orders is dropped, and the defs.yaml has a table"),
        (f"{DROP} id", "shop.orders: id is dropped, which is part of its key"),
        (f"{DROP} customer", "shop.orders: customer is dropped, which is its subject"),
        ("alter table shop.clients drop column row_hash", "row_hash cannot be changed"),
        ("alter table shop.clients rename column a to valid_to", "valid_to cannot be changed"),
        ("delete from shop.orders", "001_change.sql: DELETE FROM shop.orders: only these can"),
    ],
)
def test_what_does_not_fit_is_refused_when_the_definitions_load(
    deployed: Deployed, sql: str, reason: str
) -> None:
    assert reason in _refusal(deployed, sql)


def test_a_table_that_went_may_be_named_by_versions_that_drop_it(deployed: Deployed) -> None:
    files = "alter table shop.old drop column a", "drop table shop.old"

    with deployed(_mart("customer"), *files) as location:
        assert _apply(location).result.success


def test_versions_in_two_folders_of_a_source_are_refused(deployed: Deployed, source: Path) -> None:
    other = source.parent / "more"
    (other / "versions").mkdir(parents=True)
    document = DOCUMENTS.split("---")[0].replace("orders", "others").replace("clients", "more")
    (other / "defs.yaml").write_text(document)
    (other / "versions" / "001_more.sql").write_text("alter table shop.more drop column a")

    with create_defs_folder_sandbox() as sandbox, warnings.catch_warnings():
        # Dagster warns of what it does itself; loading a real project hides that.
        warnings.simplefilter("ignore")
        (source / "versions" / "001_change.sql").write_text(RENAME)
        for folder in (source, other):
            shutil.copytree(folder, sandbox.defs_folder_path / folder.name)
        with pytest.raises(ComponentTreeException) as caught, sandbox.build_all_defs():
            pass

    assert "shop has versions in" in told(caught.value)
    assert "keep all of them in one folder" in told(caught.value)


@pytest.mark.parametrize("column", ["id", "updated_at", "spam"])
@pytest.mark.parametrize(
    "sql", ["rename column {} to x", "drop column {}", "alter column {} type text"]
)
def test_columns_by_which_rows_are_merged_stay(tmp_path: Path, column: str, sql: str) -> None:
    (tmp_path / "versions").mkdir()
    statement = f"alter table freshdesk.tickets {sql.format(column)}"
    (tmp_path / "versions" / "001_change.sql").write_text(statement)
    tables = FreshdeskSource(domain="acme").monthly_tables()

    with pytest.raises(ValueError, match=f"freshdesk.tickets: {column} "):
        versions_of([tmp_path], "freshdesk", tables)


def _refusal(deployed: Deployed, sql: str) -> str:
    with pytest.raises(ComponentTreeException) as caught, deployed(_mart("customer"), sql):
        pass
    return told(caught.value)
