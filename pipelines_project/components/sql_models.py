"""The component that makes each `.sql` file of a source's `marts/` folder a table and an asset."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any, Self

import dagster as dg
from pydantic import BaseModel, Field, PrivateAttr

from pipelines_project.components.monthly_source import MonthlySource
from pipelines_project.marts.model import SqlModel, parse_model
from pipelines_project.orchestration.warehouse_asset import POOL, counting_failed_runs
from pipelines_project.table import checked_source
from pipelines_project.warehouse.database import Warehouse, quoted, transaction


@dataclass(frozen=True)
class Mart:
    """A model, and the source whose it is: the table `<source>_marts.<name>`."""

    source: str
    model: SqlModel

    @property
    def key(self) -> dg.AssetKey:
        """The key of its asset."""
        return _mart_key(self.source, self.name)

    @property
    def schema(self) -> str:
        """The schema of its table."""
        return f"{self.source}_marts"

    @property
    def name(self) -> str:
        """The name of its table."""
        return self.model.name


def marts_over(tables: Collection[str], marts: Collection[Mart]) -> list[Mart]:
    """Return the marts that read any of the tables, or a mart that does, in the order to build.

    Args:
        tables: names as SQL has them, `schema.table`.
        marts: all there are.
    """
    by_name = {f"{mart.schema}.{mart.name}": mart for mart in marts}
    reads = {name: mart.model.reads for name, mart in by_name.items()}
    over = {*tables}
    found = []
    for name in TopologicalSorter(reads).static_order():
        if name in by_name and not over.isdisjoint(reads[name]):
            over.add(name)
            found.append(by_name[name])
    return found


class SqlModels(dg.Component, dg.Model, dg.Resolvable):
    """The marts of a source: `marts/<name>.sql` becomes the table `<source>_marts.<name>`."""

    source: str = Field(description="The source whose marts these are; also the asset group.")

    _folder: Path = PrivateAttr()

    @classmethod
    def load(cls, attributes: BaseModel | None, context: dg.ComponentLoadContext) -> Self:
        """Return the component, which knows the folder that it was read from."""
        loaded = super().load(attributes, context)
        loaded._folder = context.path
        return loaded

    @property
    def marts(self) -> list[Mart]:
        """The models of its folder."""
        return [Mart(self.source, model) for model in self.models(self._folder)]

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """Return an asset for every model of the folder, with what its SQL reads upstream.

        Raises:
            ValueError: a model is not one SELECT, or reads what is no asset; it names the file.
        """
        models = self.models(context.path)
        known = _warehouse_tables(context) | self._marts(models)
        return dg.Definitions(assets=[_mart(self.source, model, known) for model in models])

    def models(self, folder: Path) -> list[SqlModel]:
        """Return the models beside the component's `defs.yaml`, in the order of their names."""
        checked_source(self.source)
        return [parse_model(path) for path in sorted((folder / "marts").glob("*.sql"))]

    def _marts(self, models: list[SqlModel]) -> dict[str, dg.AssetKey]:
        return {f"{self.source}_marts.{m.name}": _mart_key(self.source, m.name) for m in models}


def _mart_key(source: str, name: str) -> dg.AssetKey:
    return dg.AssetKey(["marts", source, name])


def _warehouse_tables(context: dg.ComponentLoadContext) -> dict[str, dg.AssetKey]:
    """Return every table that a source of the code location loads, by its name in SQL."""
    sources = context.component_tree.get_all_components(of_type=MonthlySource)
    tables = [table for source in sources for table in source.tables()]
    return {f"{table.source}.{table.name}": table.warehouse_key for table in tables}


def _mart(source: str, model: SqlModel, known: Mapping[str, dg.AssetKey]) -> dg.AssetsDefinition:
    own = _mart_key(source, model.name)
    others = {name: key for name, key in known.items() if key != own}
    if unknown := [table for table in model.reads if table not in others]:
        raise ValueError(
            f"{model.path}: {', '.join(unknown)} is not another table of this code location; "
            f"there are {', '.join(sorted(others))}"
        )

    @dg.asset(
        key=own,
        deps=[others[table] for table in model.reads],
        description=model.description,
        group_name=source,
        # So that a range of months over warehouse and marts can be asked for at once.
        backfill_policy=dg.BackfillPolicy.single_run(),
        automation_condition=follows_any_update(),
        pool=POOL,
        kinds={"sql", "duckdb"},
    )
    def mart(warehouse: Warehouse) -> dg.MaterializeResult:
        return dg.MaterializeResult(metadata=build(warehouse, source, model))

    return mart


def follows_any_update() -> dg.AutomationCondition:
    """Return the condition under which a mart is built again: once after any month's update.

    `eager()` would wait until every month that the partitions name has been loaded.
    """
    condition = dg.AutomationCondition
    updated = condition.any_deps_updated().since_last_handled()
    idle = ~condition.any_deps_in_progress() & ~condition.in_progress()
    return counting_failed_runs(updated & idle)


def build(warehouse: Warehouse, source: str, model: SqlModel) -> dict[str, Any]:
    """Replace the model's table in one transaction and return its materialization's metadata.

    If the SQL fails, the table stays as it was.
    """
    schema = quoted(f"{source}_marts")
    table = f"{schema}.{quoted(model.name)}"
    with warehouse.connect() as connection:
        connection.execute(f"create schema if not exists {schema}")
        with transaction(connection):
            connection.execute(f"drop table if exists {table}")
            connection.execute(f"create table {table} as {model.sql}")
        rows = connection.execute(f"select count(*) from {table}").fetchall()[0][0]
        columns = connection.execute(f"describe {table}").fetchall()
    return {
        "dagster/row_count": rows,
        "dagster/column_schema": dg.TableSchema(
            columns=[dg.TableColumn(name=name, type=kind) for name, kind, *_ in columns]
        ),
    }
