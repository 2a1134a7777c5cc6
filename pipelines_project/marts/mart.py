"""A mart, its table and its file, and which marts there are over a table."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from graphlib import TopologicalSorter

from pipelines_project.marts.model import SqlModel
from pipelines_project.marts.published import PublishedFile, published_file
from pipelines_project.names import marts_schema
from pipelines_project.sql_text import qualified
from pipelines_project.warehouse.database import Warehouse, WarehouseError


class MissingTablesError(WarehouseError):
    """A mart reads tables that were never loaded, or marts that were never built.

    Attributes:
        tables: their names in SQL.
    """

    def __init__(self, mart: "Mart", tables: Sequence[str]) -> None:
        """Name the mart and what it lacks."""
        super().__init__(
            f"{mart.full_name} reads {', '.join(tables)}, which the warehouse does not have yet"
        )
        self.tables = tables


@dataclass(frozen=True)
class Mart:
    """A model, and the source whose it is: the table `<source>_marts.<name>`."""

    source: str
    model: SqlModel

    @property
    def schema(self) -> str:
        """The schema of its table."""
        return marts_schema(self.source)

    @property
    def name(self) -> str:
        """The name of its table."""
        return self.model.name

    @property
    def full_name(self) -> str:
        """The name of its table in SQL, as models that read it write it."""
        return f"{self.schema}.{self.name}"

    @property
    def table(self) -> str:
        """The same, quoted."""
        return qualified(self.schema, self.name)

    @property
    def new_table(self) -> str:
        """The quoted name of the table that is made beside it, inside a transaction."""
        return qualified(self.schema, f"{self.name}__new")

    def published(self, warehouse: Warehouse) -> PublishedFile | None:
        """Return its file, if the warehouse's marts are published."""
        url = warehouse.published_url
        return published_file(url, self.source, self.name) if url else None


def marts_over(tables: Collection[str], marts: Collection[Mart]) -> list[Mart]:
    """Return the marts that read any of the tables, or a mart that does, in the order to build.

    Args:
        tables: names as SQL has them, `schema.table`.
        marts: all there are.
    """
    by_name = {mart.full_name: mart for mart in marts}
    reads = {name: mart.model.reads for name, mart in by_name.items()}
    over = {*tables}
    found: list[Mart] = []
    for name in TopologicalSorter(reads).static_order():
        if name in by_name and not over.isdisjoint(reads[name]):
            over.add(name)
            found.append(by_name[name])
    return found
