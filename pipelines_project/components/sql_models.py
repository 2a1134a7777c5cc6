"""The component that makes each `.sql` file of a source's `marts/` folder a table and an asset."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any, Self

import dagster as dg
from pydantic import BaseModel, Field, PrivateAttr, field_validator

from pipelines_project.components.document_part import DocumentPart
from pipelines_project.components.monthly_source import MonthlySource
from pipelines_project.marts.folder import read_models
from pipelines_project.marts.mart import Mart
from pipelines_project.marts.variables import Value, checked_variables
from pipelines_project.names import checked_source
from pipelines_project.orchestration.automation import automation_sensor
from pipelines_project.orchestration.checks.marts import mart_checks
from pipelines_project.orchestration.mart_asset import mart_asset, mart_key
from pipelines_project.orchestration.month_mart_asset import month_mart_asset
from pipelines_project.orchestration.table_assets import monthly_partitions, warehouse_key
from pipelines_project.report.persons import names_with_persons
from pipelines_project.warehouse.loaders.replace_month import ReplaceMonth


class SqlModels(DocumentPart, dg.Component, dg.Model):
    """The marts of a source: `marts/<name>.sql` becomes the table `<source>_marts.<name>`."""

    source: str = Field(description="The source whose marts these are; also the asset group.")
    vars: dict[str, Any] = Field(
        default_factory=dict,
        description="What stands for $name in the SQL of the models: text, numbers, true or false, "
        "dates, or lists of them.",
    )

    owners: list[str] = Field(
        default_factory=list,
        description="Who answers for the marts: e-mail addresses, or team:name.",
    )
    tags: dict[str, str] = Field(
        default_factory=dict, description="Tags of the marts' assets in Dagster."
    )

    _folder: Path = PrivateAttr()

    @field_validator("vars")
    @classmethod
    def _are_values(cls, variables: dict[str, Any]) -> dict[str, Value]:
        return checked_variables(variables)

    @classmethod
    def load(cls, attributes: BaseModel | None, context: dg.ComponentLoadContext) -> Self:
        """Return the component, which knows the folder that it was read from."""
        loaded = super().load(attributes, context)
        loaded._folder = context.path
        return loaded

    @cached_property
    def marts(self) -> list[Mart]:
        """The models beside the component's `defs.yaml`, in the order of their names."""
        checked_source(self.source)
        models = read_models(self._folder / "marts", self.vars)
        return [Mart(self.source, model) for model in models]

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """Return an asset for every model of the folder, with what its SQL reads upstream.

        Raises:
            ValueError: a model is not one SELECT, reads what is no asset, or is to be built by
                month from a table that is not; it names the file.
        """
        known = Known.of(context.component_tree)
        assets = [known.asset(mart) for mart in self.marts]
        return dg.Definitions(
            assets=dg.map_asset_specs(
                lambda spec: spec.replace_attributes(
                    owners=self.owners, tags={**spec.tags, **self.tags}
                ),
                assets,
            ),
            asset_checks=[check for mart in self.marts for check in mart_checks(mart)],
            sensors=[automation_sensor(self.source)] if self._has_sensor(context) else [],
        )

    def _has_sensor(self, context: dg.ComponentLoadContext) -> bool:
        """Tell whether the marts' automation is here, because no source has their group's name."""
        tree = context.component_tree
        sources = {each.source for each in tree.get_all_components(of_type=MonthlySource)}
        models = tree.get_all_components(of_type=SqlModels)
        first = next(each for each in models if each.source == self.source)
        return self.source not in sources and first is self


@dataclass(frozen=True)
class Known:
    """What the models of a code location can read.

    Attributes:
        keys: the asset of each table, by the table's name in SQL.
        first_months: the first month of each source.
        by_month: the first month of each table whose months are complete in themselves.
        persons: the tables and marts that may hold persons, whose rows are not shown.
    """

    keys: Mapping[str, dg.AssetKey]
    first_months: Mapping[str, str]
    by_month: Mapping[str, str]
    persons: Collection[str]

    @classmethod
    def of(cls, tree: dg.ComponentTree) -> "Known":
        """Return every table that a source of the code location loads, and every mart."""
        sources = tree.get_all_components(of_type=MonthlySource)
        tables = [table for each in sources for table in each.monthly_tables()]
        models = tree.get_all_components(of_type=SqlModels)
        marts = {mart.full_name: mart for each in models for mart in each.marts}
        keys = {f"{table.source}.{table.name}": warehouse_key(table) for table in tables}
        keys |= {name: mart_key(mart) for name, mart in marts.items()}
        firsts: dict[str, str] = {}
        for table in tables:
            firsts[table.source] = min(table.start_month, firsts.get(table.source, "9999-12"))
        by_month = {
            f"{table.source}.{table.name}": firsts[table.source]
            for table in tables
            # Loading a month of another kind of table changes rows of other months too.
            if isinstance(table.loader, ReplaceMonth)
        }
        order = TopologicalSorter({n: {*mart.model.reads} - {n} for n, mart in marts.items()})
        for name in order.static_order():
            if name in marts and marts[name].model.is_incremental:
                read = [by_month[each] for each in marts[name].model.reads if each in by_month]
                by_month |= {name: firsts.get(marts[name].source, min(read))} if read else {}
        # One that reads itself is refused later, by its file.
        sound = [mart for name, mart in marts.items() if name not in mart.model.reads]
        return cls(keys, firsts, by_month, names_with_persons(tables, sound))

    def asset(self, mart: Mart) -> dg.AssetsDefinition:
        """Return the asset of a model."""
        upstream = self._upstream(mart)
        shows_rows = mart.full_name not in self.persons
        if mart.model.is_incremental:
            months = monthly_partitions(self._first_month(mart))
            return month_mart_asset(mart, upstream, months, shows_rows=shows_rows)
        return mart_asset(mart, upstream, shows_rows=shows_rows)

    def _first_month(self, mart: Mart) -> str:
        """Return the first month of an incremental model: its source's, as all jobs take it."""
        path, reads = mart.model.path, mart.model.reads
        if others := [name for name in reads if name not in self.by_month]:
            raise ValueError(
                f"{path}: it cannot be incremental, because months of {', '.join(others)} are not "
                f"complete in themselves. Those of {', '.join(sorted(self.by_month))} are"
            )
        earliest = min(self.by_month[name] for name in reads)
        first = self.first_months.get(mart.source, earliest)
        if earliest < first:
            raise ValueError(
                f"{path}: it reads months from {earliest} on, which are before {first}, the first "
                f"month of {mart.source}: set start_month to {earliest}"
            )
        return first

    def _upstream(self, mart: Mart) -> list[dg.AssetKey]:
        """Return the assets that a mart reads."""
        others = {name: key for name, key in self.keys.items() if name != mart.full_name}
        if unknown := [table for table in mart.model.reads if table not in others]:
            raise ValueError(
                f"{mart.model.path}: {', '.join(unknown)} is not another table of this code "
                f"location; there are {', '.join(sorted(others))}"
            )
        return [others[table] for table in mart.model.reads]
