"""The asset `marts/<source>/<model>`: an SQL model as a table."""

import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import dagster as dg

from pipelines_project.marts.build import Built, build
from pipelines_project.marts.lineage import Origins
from pipelines_project.marts.mart import Mart, MissingTablesError
from pipelines_project.marts.published import NotPublishedError
from pipelines_project.months import in_words, month_of
from pipelines_project.names import source_of_marts
from pipelines_project.orchestration.automation import follows_any_change
from pipelines_project.orchestration.commands import materialize_commands
from pipelines_project.orchestration.metadata import (
    code_reference,
    column_schema,
    layer_tags,
    sample_metadata,
)
from pipelines_project.orchestration.refusals import told_plainly
from pipelines_project.orchestration.warehouse_settings import warehouse_kind, warehouse_pool
from pipelines_project.warehouse.database import Warehouse


def mart_key(mart: Mart) -> dg.AssetKey:
    """Return the key of the mart's asset."""
    return dg.AssetKey(["marts", mart.source, mart.name])


def mart_asset(
    mart: Mart, upstream: Sequence[dg.AssetKey], *, shows_rows: bool = False
) -> dg.AssetsDefinition:
    """Return the asset that builds the mart.

    Args:
        mart: the model.
        upstream: the assets of the tables that it reads.
        shows_rows: whether no person is in its rows, so that Dagster may show some.
    """

    @dg.asset(
        key=mart_key(mart),
        deps=upstream,
        description=mart.model.description,
        group_name=mart.source,
        # So that a range of months over warehouse and marts can be asked for at once.
        backfill_policy=dg.BackfillPolicy.single_run(),
        automation_condition=follows_any_change(),
        pool=warehouse_pool(),
        kinds={"sql", warehouse_kind()},
        tags=layer_tags("marts"),
        metadata=definition_metadata(mart),
    )
    def asset(
        context: dg.AssetExecutionContext, warehouse: dg.ResourceParam[Warehouse]
    ) -> dg.MaterializeResult:
        started = time.monotonic()
        with mart_told_plainly(mart, [month_of(datetime.now(UTC))]):
            built = build(warehouse, mart, shows_rows=shows_rows)
        same = ", the same as before" if built.unchanged else ""
        context.log.info(f"{built.rows} rows built in {time.monotonic() - started:.2f} s{same}")
        metadata = {
            **mart_metadata(mart, built),
            **sample_metadata(built.sample),
            "dagster/storage_kind": warehouse.kind,
        }
        version = None if built.content is None else dg.DataVersion(built.content)
        return dg.MaterializeResult(metadata=metadata, data_version=version)

    return asset


def definition_metadata(mart: Mart) -> dict[str, Any]:
    """Return what Dagster shows of a mart before it is built: its SQL, and where that stands."""
    path = mart.model.path.resolve()
    return {
        "dagster/table_name": mart.full_name,
        "sql": dg.MetadataValue.md(f"```sql\n{mart.model.sql.strip()}\n```"),
        **code_reference(str(path), 1, path.name),
    }


@contextmanager
def mart_told_plainly(mart: Mart, months: Sequence[str]) -> Generator[None]:
    """Say what a mart that cannot be built lacks, and the commands that bring it.

    Args:
        mart: the model.
        months: which to land of a table that is not there.

    Raises:
        dagster.Failure: it cannot be built.
    """
    of_months = months if mart.model.is_incremental else []
    part = f"What {mart.full_name} has of {in_words(of_months)}" if of_months else mart.full_name
    is_left = f"{part} is unchanged."
    again = materialize_commands(mart_key(mart), of_months)
    with told_plainly(str(mart.model.path), f"{is_left} Once mended:\n{again}"):
        try:
            yield
        except NotPublishedError as error:
            raise dg.Failure(f"{error}\nOnce mended:\n{again}", allow_retries=False) from None
        except MissingTablesError as error:
            first = "\n".join(dict.fromkeys(_bringing(name, months) for name in error.tables))
            raise dg.Failure(
                f"{error}. {is_left} First, then the mart follows:\n{first}", allow_retries=False
            ) from None


def _bringing(table: str, months: Sequence[str]) -> str:
    """Return the commands that make a table or mart, and all that reads it."""
    key = table_key(table)
    if key.path[0] == "marts":
        return materialize_commands(key, months)
    return materialize_commands(dg.AssetKey(["landing", *key.path[1:]]), months)


def mart_metadata(mart: Mart, built: Built) -> dict[str, Any]:
    """Return what Dagster shows of a mart that was built."""
    # Whether what a view shows has changed is known to whoever reads it, so it has no content.
    return {
        "dagster/row_count": built.rows,
        "unchanged": built.unchanged,
        **({"content": built.content} if built.content else {}),
        **columns_metadata(mart, built.schema, built.origins),
    }


def columns_metadata(mart: Mart, schema: Mapping[str, str], origins: Origins) -> dict[str, Any]:
    """Return what Dagster shows of the columns: what they are, and what they are made from."""
    lineage = {
        column: [dg.TableColumnDep(table_key(table), name) for table, name in found]
        for column, found in origins.items()
    }
    shown = column_schema(schema, descriptions=mart.model.column_descriptions)
    return {
        "dagster/column_schema": shown,
        **({"dagster/column_lineage": dg.TableColumnLineage(lineage)} if lineage else {}),
    }


def table_key(name: str) -> dg.AssetKey:
    """Return the key of the asset of a table, given its name in SQL."""
    schema, _, table = name.partition(".")
    source = source_of_marts(schema)
    return dg.AssetKey(["marts", source, table] if source else ["warehouse", schema, table])
