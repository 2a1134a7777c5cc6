"""Documents that need nothing but what a source cannot know: they load as they are written here."""

import warnings
from typing import Any

import dagster as dg
import pytest
from dagster.components.core.component_tree import ComponentTree
from dagster.components.testing import create_defs_folder_sandbox

from pipelines_project.landing.zone import LandingZone
from pipelines_project.warehouse.database import Warehouse
from pipelines_project_tests.document_location import loaded

SHOP = """
type: pipelines_project.components.SqlTables
attributes:
  source: shop
  connection: SHOP_URL          # the environment variable that holds the SQLAlchemy URL
  start_month: "2023-01"
  tables:
    - {name: orders, table: orders, key: [id], month_column: created_at}
    - {name: customers, table: customers, key: [id]}            # no dates: a snapshot
"""
SALES = """
type: pipelines_project.components.Files
attributes:
  source: sales
  raw_url: "{{ env.RAW_URL or 'data/raw' }}"
  tables:
    - {name: receipts, files: "receipts/%Y-%m/*.csv", key: [id]}
"""
WEATHER = """
type: pipelines_project.components.RestApi
attributes:
  source: weather
  client:
    base_url: https://api.example.org/v1/
    paginator: {type: page_number, base_page: 1, maximum_page: 50}
  tables:
    - name: readings
      key: [id]
      endpoint:
        path: readings
        params: {from: "{month.start}", to: "{month.end}"}
        data_selector: data
"""


@pytest.mark.parametrize(
    ("document", "source", "tables"),
    [
        (SHOP, "shop", ["orders", "customers"]),
        (SALES, "sales", ["receipts"]),
        (WEATHER, "weather", ["readings"]),
    ],
)
def test_a_short_document_has_assets_jobs_checks_and_a_schedule(
    document: str, source: str, tables: list[str]
) -> None:
    resources = {"landing": LandingZone(), "warehouse": Warehouse()}
    with create_defs_folder_sandbox() as sandbox, warnings.catch_warnings():
        # Dagster warns of what it does itself; loading a real project hides that.
        warnings.simplefilter("ignore")
        folder = sandbox.defs_folder_path / source
        folder.mkdir()
        (folder / "defs.yaml").write_text(document)
        with sandbox.build_all_defs() as loaded:
            defs = dg.Definitions.merge(loaded, dg.Definitions(resources=resources))
            repository = defs.get_repository_def()

            keys = {key.to_user_string() for key in defs.resolve_asset_graph().get_all_asset_keys()}
            jobs = {name for name in repository.job_names if name.startswith(source)}
            first = defs.resolve_asset_graph().get(dg.AssetKey(["landing", source, tables[0]]))
            assert first.partitions_def
            checks = {key.name for key in defs.resolve_asset_graph().asset_check_keys}

    assert keys == {
        f"{layer}/{source}/{table}" for layer in ("landing", "warehouse") for table in tables
    }
    assert jobs == {
        f"{source}_{job}"
        for job in (
            "materialize",
            "delete_stale_files",
            "restore_month",
            "rebuild_warehouse",
            "apply_versions",
        )
    }
    assert first.partitions_def.get_first_partition_key() == (
        "2023-01" if source == "shop" else "2020-01"
    )
    assert {"no_stale_files", "landed_files_are_intact", "warehouse_rows_match_landing"} <= checks
    if source != "sales":
        assert [each.name for each in repository.schedule_defs] == [
            f"{source}_materialize_schedule"
        ]


@pytest.mark.stack
def test_however_many_documents_there_are_they_are_searched_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    searched: list[object] = []
    search = ComponentTree.get_all_components

    def counted(tree: ComponentTree, of_type: type[Any]) -> list[Any]:
        searched.append(of_type)
        return search(tree, of_type)

    monkeypatch.setattr(ComponentTree, "get_all_components", counted)
    documents = [SALES.replace("receipts", f"receipts_{number}") for number in range(4)]
    with loaded("\n---\n".join([*documents, SHOP])) as defs:
        jobs = [job.name for job in defs.jobs or []]

    assert len(searched) == 1
    assert jobs.count("sales_materialize") == jobs.count("shop_materialize") == 1
