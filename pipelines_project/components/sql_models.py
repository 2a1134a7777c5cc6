"""The component that makes each `.sql` file of a source's `marts/` folder a table and an asset."""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Self

import dagster as dg
from pydantic import BaseModel, Field, PrivateAttr

from pipelines_project.components.monthly_source import MonthlySource
from pipelines_project.marts.build import Mart
from pipelines_project.marts.model import parse_model
from pipelines_project.names import checked_source
from pipelines_project.orchestration.mart_asset import mart_asset, mart_key
from pipelines_project.orchestration.table_assets import warehouse_key


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

    @cached_property
    def marts(self) -> list[Mart]:
        """The models beside the component's `defs.yaml`, in the order of their names."""
        checked_source(self.source)
        files = sorted((self._folder / "marts").glob("*.sql"))
        return [Mart(self.source, parse_model(path)) for path in files]

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """Return an asset for every model of the folder, with what its SQL reads upstream.

        Raises:
            ValueError: a model is not one SELECT, or reads what is no asset; it names the file.
        """
        marts = self.marts
        known = _warehouse_tables(context) | {f"{m.schema}.{m.name}": mart_key(m) for m in marts}
        return dg.Definitions(assets=[mart_asset(mart, _upstream(mart, known)) for mart in marts])


def _warehouse_tables(context: dg.ComponentLoadContext) -> dict[str, dg.AssetKey]:
    """Return every table that a source of the code location loads, by its name in SQL."""
    sources = context.component_tree.get_all_components(of_type=MonthlySource)
    tables = [table for source in sources for table in source.monthly_tables()]
    return {f"{table.source}.{table.name}": warehouse_key(table) for table in tables}


def _upstream(mart: Mart, known: Mapping[str, dg.AssetKey]) -> list[dg.AssetKey]:
    """Return the assets that a mart reads."""
    others = {name: key for name, key in known.items() if key != mart_key(mart)}
    if unknown := [table for table in mart.model.reads if table not in others]:
        raise ValueError(
            f"{mart.model.path}: {', '.join(unknown)} is not another table of this code location; "
            f"there are {', '.join(sorted(others))}"
        )
    return [others[table] for table in mart.model.reads]
