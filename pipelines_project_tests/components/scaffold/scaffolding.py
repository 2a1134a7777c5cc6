"""A document as `dg scaffold defs` has it written: by the component's scaffolder."""

from pathlib import Path
from typing import Any

import dagster as dg
import yaml

from pipelines_project.components.scaffold.scaffolder import DocumentScaffolder


def scaffolded(
    scaffolder: type[DocumentScaffolder[Any]], component: str, folder: Path, **params: Any
) -> str:
    """Return the text of the document that is written into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    request: dg.ScaffoldRequest[Any] = dg.ScaffoldRequest(
        type_name=f"pipelines_project.components.{component}",
        target_path=folder,
        scaffold_format="yaml",
        project_root=folder.parent,
        params=scaffolder.get_scaffold_params()(**params),
    )
    scaffolder().scaffold(request)
    return (folder / "defs.yaml").read_text(encoding="utf-8")


def tables_of(document: str) -> dict[str, dict[str, Any]]:
    """Return the tables of a document by their names."""
    [loaded] = yaml.safe_load_all(document)
    return {table["name"]: table for table in loaded["attributes"]["tables"]}


def comment_above(document: str, table: str) -> str:
    """Return the comments that stand above a table of the document."""
    lines = document.splitlines()
    [at] = [n for n, line in enumerate(lines) if f"name: {table}," in f"{line},"]
    first = at
    while lines[first - 1].startswith("    #"):
        first -= 1
    return "\n".join(lines[first:at])
