"""A dlt source as a document: its window, its tables, and what is wrong in the document."""

import re
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from dagster.components.core.component_tree import ComponentTreeException
from dagster.components.resolved.errors import ResolutionException

from pipelines_project.broken_sources import told
from pipelines_project.components.dlt_source import DltSource
from pipelines_project_tests import shop_source
from pipelines_project_tests.document_location import DocumentLocation, loaded, located

TOKEN = "shop-token-5512-secret"
DOCUMENT = """
type: pipelines_project.components.DltSource
attributes:
  source: shop
  start_month: "2024-01"
  source_function: pipelines_project_tests.shop_source.shop
  arguments:
    token: {env: SHOP_TOKEN}
    region: "{{ 'nor' + 'th' }}"
  month_arguments: {start: start_date, end: end_date, form: date}
  tables:
    - {name: orders, key: [id]}
    - {name: lines_of_orders, resource: order_lines, key: [order_id, line]}
    - {name: customers, key: [id], snapshot: true}
---
type: pipelines_project.components.DltSource
attributes:
  source: shop
  start_month: "2024-01"
  source_function: pipelines_project_tests.shop_source.events
  tables:
    - {name: events, key: [id], incremental: {cursor_path: updated_at}}
---
type: pipelines_project.components.DltSource
attributes:
  source: shop
  start_month: "2024-01"
  source_function: pipelines_project_tests.shop_source.leaky
  arguments: {key: {env: SHOP_TOKEN}, token: {env: SHOP_TOKEN}}
  tables:
    - {name: leaky}
    - {name: leaky_by_month, resource: leaky, incremental: {cursor_path: at}}
"""


@pytest.fixture(scope="module")
def defs() -> Iterator[dg.Definitions]:
    with loaded(DOCUMENT) as defs:
        yield defs


@pytest.fixture
def shop(
    defs: dg.Definitions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[DocumentLocation]:
    monkeypatch.setenv("SHOP_TOKEN", TOKEN)
    shop_source.CALLS.clear()
    with located(tmp_path, defs) as location:
        yield location


@pytest.mark.stack
def test_months_of_several_resources_land_and_load_in_one_run(shop: DocumentLocation) -> None:
    keys = [
        f"{stage}/shop/{table}"
        for table in ("orders", "lines_of_orders", "events")
        for stage in ("landing", "warehouse")
    ]

    run = shop.materialize("2024-01...2024-03", *keys)

    assert run.error == ""
    count = "select count(*) from shop.{} group by month order by month"
    assert shop.rows(count.format("orders")) == [(31,), (29,), (31,)]
    assert shop.rows(count.format("lines_of_orders")) == [(62,), (58,), (62,)]
    assert shop.rows(count.format("events")) == [(31,), (29,), (20,)]
    assert shop.rows("select distinct region from shop.orders") == [("north",)]
    assert TOKEN not in shop.events(run)


@pytest.mark.stack
def test_what_does_not_depend_on_the_month_is_a_snapshot(shop: DocumentLocation) -> None:
    run = shop.materialize("2024-02", "landing/shop/customers", "landing/shop/leaky")

    for table in ("customers", "leaky"):
        landed = run.materialized(f"landing/shop/{table}")["2024-02"]
        assert "snapshot" in landed["nothing_to_land"]
    assert shop_source.CALLS == []


@pytest.mark.stack
def test_an_error_of_the_source_is_told_in_events_without_the_secret(
    shop: DocumentLocation,
) -> None:
    run = shop.materialize("2024-02", "landing/shop/leaky_by_month")

    assert "HTTPError: 401 for http://x/?token=***&key=***" in run.error
    assert TOKEN not in shop.events(run)


ATTRIBUTES = """source: shop
start_month: "2024-01"
source_function: pipelines_project_tests.shop_source.shop
arguments: {region: north}
month_arguments: {start: start_date, end: end_date}
tables:
  - {name: orders, key: [id], columns: {id: bigint}}
"""


@pytest.mark.filterwarnings("ignore:`parse_obj_as` is deprecated")
@pytest.mark.parametrize(
    ("right", "wrong", "why"),
    [
        (".shop\n", ".shopp\n", r":3 - source_function: .* has no shopp; it has .*shop"),
        ("pipelines_project_tests.shop_source", "nowhere", ":3 - source_function: nowhere cannot"),
        ("region:", "regoin:", "regoin is no argument; there are start_date, end_date, token"),
        (", end: end_date", "", "end_date is needed and not given"),
        ("end: end_date", "end: until", "until is no argument"),
        ("start: start", "begin: start", r":5 - month_arguments: begin is not known; there are st"),
        ("end_date}", "end_date, form: iso}", ":5 - month_arguments.form: .*'date' or 'datetime'"),
        ("region: north", "token: hunter2", r"token holds a secret.*give \{env: NAME\}"),
        ("region: north", "region: '{month.now}'", r"\{month.now\} is not known"),
        ("bigint", "int", ":7 - tables.0.columns: 'int' of id is no type"),
        ("key: [id]", "incremental: {cursor: a}", ":7 - tables.0.incremental: cursor is not known"),
    ],
)
def test_a_wrong_value_is_named_with_its_line_and_what_would_be_right(
    right: str, wrong: str, why: str
) -> None:
    assert DltSource.resolve_from_yaml(ATTRIBUTES).source == "shop"
    assert right in ATTRIBUTES

    with pytest.raises(ResolutionException) as refused:
        DltSource.resolve_from_yaml(ATTRIBUTES.replace(right, wrong, 1))

    assert re.search(why, str(refused.value))
    assert "hunter2" not in str(refused.value)


def test_a_secret_in_a_document_is_not_told_when_it_does_not_load() -> None:
    documents = DOCUMENT.replace("token: {env: SHOP_TOKEN}", "token: hunter2", 1)

    with pytest.raises(ComponentTreeException) as refused, loaded(documents):
        pass

    assert "defs.yaml:3 - attributes: token holds a secret" in told(refused.value)
    assert "hunter2" not in told(refused.value)
