"""A code location of JSON lines tables alone, loaded from its YAML and run as Dagster runs it."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import yaml
from dagster.components.testing import create_defs_folder_sandbox

from pipelines_project.landing.zone import LandingZone
from pipelines_project.warehouse.database import Warehouse
from pipelines_project_tests.code_location import Run, range_tags
from pipelines_project_tests.kept import empty_instance

LANDING = "landing/local_jsonl/events"
WAREHOUSE = "warehouse/local_jsonl/events"
_TYPE = "pipelines_project.components.LocalJsonlSource"


@dataclass(frozen=True)
class JsonlLocation:
    """Definitions, an instance, a landing zone, a warehouse and a folder of raw files."""

    defs: dg.Definitions
    instance: dg.DagsterInstance
    landing: LandingZone
    warehouse: Warehouse
    raw: Path

    def materialize(self, months: str, *keys: str, **config: Any) -> Run:
        """Materialize months of `events`, or of the assets named; config is of `landing`."""
        first, _, last = months.partition("...")
        job = self.defs.resolve_implicit_global_asset_job_def()
        result = job.execute_in_process(
            instance=self.instance,
            asset_selection=[
                dg.AssetKey.from_user_string(key) for key in keys or (LANDING, WAREHOUSE)
            ],
            run_config={"ops": {"landing__local_jsonl__events": {"config": config}}}
            if config
            else {},
            partition_key=first if not last else None,
            tags=range_tags(first, last) if last else None,
            raise_on_error=False,
        )
        return Run(result, self.instance)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        return self.warehouse.rows(query)


def attributes(raw: Path, name: str = "events", **others: Any) -> dict[str, Any]:
    """Return the attributes of one table."""
    return {
        "name": name,
        "description": "Events of tests.",
        "files": f"{name}/%Y-%m/*.jsonl*",
        "raw_url": str(raw),
        "start_month": "2024-01",
        **others,
    }


@contextmanager
def jsonl_location(folder: Path, *tables: dict[str, Any]) -> Iterator[JsonlLocation]:
    """Give the code location of the tables, each the attributes of one document."""
    documents = [{"type": _TYPE, "attributes": table} for table in tables]
    resources = {
        "landing": LandingZone(url=str(folder / "landing")),
        "warehouse": Warehouse(url=str(folder / "warehouse.duckdb")),
    }
    with create_defs_folder_sandbox() as sandbox, warnings.catch_warnings():
        # Dagster warns of what it does itself; loading a real project hides that.
        warnings.simplefilter("ignore")
        source = sandbox.defs_folder_path / "local_jsonl"
        source.mkdir()
        (source / "defs.yaml").write_text(yaml.safe_dump_all(documents))
        with sandbox.build_all_defs() as defs, empty_instance() as instance:
            merged = dg.Definitions.merge(defs, dg.Definitions(resources=resources))
            yield JsonlLocation(merged, instance, **resources, raw=folder / "raw")
