"""What a version can change of a table, each kind as a class that knows its statement."""

from dataclasses import dataclass

from pipelines_project.sql_text import qualified, quoted


@dataclass(frozen=True)
class RenameColumn:
    """A column has another name."""

    table: str
    column: str
    to: str

    def sql(self, schema: str) -> str:
        """Return the statement."""
        names = f"{quoted(self.column)} to {quoted(self.to)}"
        return f"alter table {qualified(schema, self.table)} rename column {names}"


@dataclass(frozen=True)
class DropColumn:
    """A column is not kept."""

    table: str
    column: str

    def sql(self, schema: str) -> str:
        """Return the statement."""
        return f"alter table {qualified(schema, self.table)} drop column {quoted(self.column)}"


@dataclass(frozen=True)
class ChangeType:
    """A column has this type, whatever is landed; the type is as DuckDB writes it."""

    table: str
    column: str
    type: str

    def sql(self, schema: str) -> str:
        """Return the statement."""
        column = f"alter column {quoted(self.column)} type {self.type}"
        return f"alter table {qualified(schema, self.table)} {column}"


@dataclass(frozen=True)
class CreateIndex:
    """A table has an index."""

    table: str
    name: str
    columns: tuple[str, ...]

    def sql(self, schema: str) -> str:
        """Return the statement."""
        columns = ", ".join(map(quoted, self.columns))
        table = qualified(schema, self.table)
        return f"create index if not exists {quoted(self.name)} on {table} ({columns})"


@dataclass(frozen=True)
class DropIndex:
    """A table has the index no more."""

    name: str

    def sql(self, schema: str) -> str:
        """Return the statement."""
        return f"drop index if exists {qualified(schema, self.name)}"


@dataclass(frozen=True)
class DropTable:
    """A table is not kept, which is no table of the source any more."""

    table: str

    def sql(self, schema: str) -> str:
        """Return the statement."""
        return f"drop table if exists {qualified(schema, self.table)}"


ColumnChange = RenameColumn | DropColumn | ChangeType
Change = ColumnChange | CreateIndex | DropIndex | DropTable
