"""A code location made of the documents of one `defs.yaml`, run as Dagster runs it."""

import shutil
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import dagster as dg
from dagster.components.testing import create_defs_folder_sandbox

from pipelines_project.landing.zone import LandingZone
from pipelines_project.warehouse.database import Warehouse
from pipelines_project_tests.code_location import Run, range_tags
from pipelines_project_tests.kept import empty_instance


@dataclass(frozen=True)
class DocumentLocation:
    """Definitions, an instance, a landing zone and a warehouse."""

    defs: dg.Definitions
    instance: dg.DagsterInstance
    landing: LandingZone
    warehouse: Warehouse

    def materialize(self, months: str, *keys: str) -> Run:
        """Materialize a month, or the first and the last as `2024-01...2024-06`, of assets."""
        first, _, last = months.partition("...")
        result = self.defs.resolve_implicit_global_asset_job_def().execute_in_process(
            instance=self.instance,
            asset_selection=[dg.AssetKey.from_user_string(key) for key in keys],
            partition_key=first if not last else None,
            tags=range_tags(first, last) if last else None,
            raise_on_error=False,
        )
        return Run(result, self.instance)

    def events(self, run: Run) -> str:
        """Return everything that the instance has recorded of a run."""
        records = self.instance.all_logs(run.result.run_id)
        return "\n".join(str(record.to_json()) for record in records)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        return self.warehouse.rows(query)


@contextmanager
def loaded(documents: str) -> Iterator[dg.Definitions]:
    """Give the definitions of a `defs.yaml`; an error is the one that Dagster raises."""
    with TemporaryDirectory() as place:
        (Path(place) / "defs.yaml").write_text(documents)
        with _loaded_folder(Path(place)) as defs:
            yield defs


@contextmanager
def _loaded_folder(source: Path) -> Iterator[dg.Definitions]:
    with create_defs_folder_sandbox() as sandbox, warnings.catch_warnings():
        # Dagster warns of what it does itself; loading a real project hides that.
        warnings.simplefilter("ignore")
        shutil.copytree(source, sandbox.defs_folder_path / "documents")
        with sandbox.build_all_defs() as defs:
            yield defs


@contextmanager
def document_location(folder: Path, documents: str) -> Iterator[DocumentLocation]:
    """Give the code location of the documents, with its data below a folder."""
    with loaded(documents) as defs, located(folder, defs) as location:
        yield location


@contextmanager
def folder_location(folder: Path, source: Path) -> Iterator[DocumentLocation]:
    """Give the code location of one folder of `defs/`, with its marts; its data as above."""
    with _loaded_folder(source) as defs, located(folder, defs) as location:
        yield location


@contextmanager
def located(folder: Path, defs: dg.Definitions) -> Iterator[DocumentLocation]:
    """Give definitions that are loaded already, with their data below a folder."""
    landing = LandingZone(url=str(folder / "landing"))
    warehouse = Warehouse(url=str(folder / "warehouse.duckdb"))
    with empty_instance() as instance:
        merged = dg.Definitions.merge(
            defs, dg.Definitions(resources={"landing": landing, "warehouse": warehouse})
        )
        yield DocumentLocation(merged, instance, landing, warehouse)
