"""What Dagster shows of the engine's results: the one place where they become metadata."""

import warnings
from collections.abc import Collection, Mapping
from typing import Any

import dagster as dg

from pipelines_project.landing.landed import Landed
from pipelines_project.landing.sample import Sample
from pipelines_project.table import Table
from pipelines_project.warehouse.load_month import Loaded

NOTHING_TO_LAND = "nothing_to_land"
_EVERYWHERE = {
    "month": "the month, YYYY-MM, in UTC",
    "_dlt_id": "an id of the row that dlt gives it",
    "_dlt_load_id": "the load that brought the row",
}


def column_schema(
    schema: Mapping[str, str],
    required: Collection[str] = (),
    descriptions: Mapping[str, str] | None = None,
) -> dg.TableSchema:
    """Return a table's columns: name, type, what each is, and whether it is never null."""
    said = {**_EVERYWHERE, **(descriptions or {})}
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                name,
                kind,
                description=said.get(name),
                constraints=dg.TableColumnConstraints(nullable=name not in required),
            )
            for name, kind in schema.items()
        ]
    )


def defined_metadata(table: Table) -> dict[str, Any]:
    """Return what Dagster shows of a table before any month of it was landed or loaded."""
    return {
        "dagster/table_name": f"{table.source}.{table.name}",
        **({"dagster/column_schema": _table_schema(table, table.columns)} if table.columns else {}),
    }


def _table_schema(
    table: Table, schema: Mapping[str, str], required: Collection[str] = ()
) -> dg.TableSchema:
    return column_schema(schema, required, table.column_descriptions)


def code_reference(path: str, line: int, label: str) -> dict[str, Any]:
    """Return what leads from an asset's page to a line of a file, beside its `defs.yaml`."""
    with warnings.catch_warnings():
        # There is no other way to lead to a file of one's choice.
        warnings.simplefilter("ignore", dg.BetaWarning)
        reference = dg.LocalFileCodeReference(file_path=path, line_number=line, label=label)
        references = dg.CodeReferencesMetadataValue(code_references=[reference])
    return {"dagster/code_references": references}


def layer_tags(layer: str, others: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the tags of an asset: which layer it belongs to, and those that were set for it."""
    return {"layer": layer, **(others or {})}


def landed_metadata(table: Table, landed: Landed) -> dict[str, Any]:
    """Return the metadata of a landed month; what did not happen is left out."""
    told = {
        "content": landed.content,
        "not_modified": landed.not_modified,
        "superseded": bool(landed.superseded_by),
        "superseded_by": landed.superseded_by,
        "replaced_damaged_load": landed.replaced_damaged,
    }
    return {
        "dagster/partition_row_count": landed.rows,
        "dagster/column_schema": _table_schema(table, landed.schema, landed.required),
        "dagster/uri": landed.uri,
        "dagster/storage_kind": "filesystem",
        "files": landed.files,
        "bytes": landed.bytes,
        "load_id": landed.load_id,
        **({} if landed.not_modified else {"seconds": landed.seconds}),
        **sample_metadata(landed.sample if table.shows_rows else None),
        **landed.details,
        **{name: value for name, value in told.items() if value},
    }


def loaded_metadata(table: Table, loaded: Loaded) -> dict[str, Any]:
    """Return the metadata of a loaded month, and of the table that holds it."""
    return {
        "dagster/partition_row_count": loaded.rows,
        "dagster/column_schema": _table_schema(table, loaded.columns),
        "load_id": loaded.load_id,
        "skipped": loaded.skipped,
        "unchanged": loaded.unchanged,
        **({"content": loaded.content_hash} if loaded.content_hash else {}),
        **({"conflicts": loaded.conflicts} if loaded.conflicts else {}),
    }


def sample_metadata(sample: Sample | None) -> dict[str, Any]:
    """Return a few rows as a table, to be asked for only where no person is in them."""
    if sample is None:
        return {}
    records = [
        dg.TableRecord({name: value or "" for name, value in zip(sample.columns, row, strict=True)})
        for row in sample.rows
    ]
    schema = dg.TableSchema([dg.TableColumn(name) for name in sample.columns])
    return {"sample_rows": dg.MetadataValue.table(records, schema)}


def nothing_to_land_metadata(reason: str) -> dict[str, Any]:
    """Return the metadata of a month that a table does not have, or can no longer fetch."""
    return {"dagster/partition_row_count": 0, "content": "nothing", NOTHING_TO_LAND: reason}
