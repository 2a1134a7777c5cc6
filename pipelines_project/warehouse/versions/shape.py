"""What the versions of a source have made of a table: names, types and indexes of its columns."""

from collections.abc import Iterable
from copy import deepcopy
from dataclasses import dataclass, field

from pipelines_project.warehouse.postgres import stored_name
from pipelines_project.warehouse.versions.changes import (
    Change,
    ChangeType,
    ColumnChange,
    CreateIndex,
    DropColumn,
    DropIndex,
    DropTable,
    RenameColumn,
)


@dataclass
class Shape:
    """A table after some changes; one without changes is as it is landed.

    Attributes:
        changes: of its columns, in the order in which they were made.
        types: of columns, by their present names, those that they were given one after the other;
            they have the last one, whatever is landed.
        indexes: those that are left.
        is_dropped: whether there is no such table any more.
        in_postgres: whether PostgreSQL has the table, which does not take every name.
    """

    changes: list[ColumnChange] = field(default_factory=list[ColumnChange])
    types: dict[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    indexes: dict[str, CreateIndex] = field(default_factory=dict[str, CreateIndex])
    is_dropped: bool = False
    in_postgres: bool = False

    def name(self, landed: str) -> str | None:
        """Return what a landed column is called in the table, or None if it is not kept."""
        name = stored_name(landed) if self.in_postgres else landed
        for change in self.changes:
            if isinstance(change, RenameColumn) and change.column == name:
                name = change.to
            elif isinstance(change, DropColumn) and change.column == name:
                return None
        return name

    def names(self, landed: Iterable[str]) -> list[str]:
        """Return the same of several columns, without those that are not kept."""
        return [name for column in landed if (name := self.name(column)) is not None]

    def add(self, change: ColumnChange | CreateIndex) -> None:
        """Take one more change.

        Raises:
            ValueError: a change before has taken the column away, or given another one its name.
        """
        if isinstance(change, CreateIndex):
            for column in change.columns:
                self._check_is_there(column)
            self.indexes[change.name] = change
            return
        self._check_is_there(change.column)
        if isinstance(change, RenameColumn):
            self._rename(change)
        elif isinstance(change, DropColumn):
            self._drop(change)
        else:
            self.types[change.column] = (*self.types.get(change.column, ()), change.type)
        self.changes.append(change)

    def _check_is_there(self, column: str) -> None:
        """Refuse a column that has got another name, or was dropped."""
        left = {each.column for each in self.changes if not isinstance(each, ChangeType)}
        if column in left - self._new_names:
            raise ValueError(f"the column {column} was renamed or dropped before")

    @property
    def _new_names(self) -> set[str]:
        """The names that columns were given and still have."""
        names: set[str] = set()
        for change in self.changes:
            if not isinstance(change, ChangeType):
                names.discard(change.column)
            if isinstance(change, RenameColumn):
                names.add(change.to)
        return names

    def _rename(self, change: RenameColumn) -> None:
        if change.to in self._new_names:
            raise ValueError(f"another column was renamed to {change.to} before")
        if change.column in self.types:
            self.types[change.to] = self.types.pop(change.column)
        for name, index in self.indexes.items():
            columns = (change.to if c == change.column else c for c in index.columns)
            self.indexes[name] = CreateIndex(index.table, name, tuple(columns))

    def _drop(self, change: DropColumn) -> None:
        if indexes := [n for n, index in self.indexes.items() if change.column in index.columns]:
            raise ValueError(f"drop the index {indexes[0]} first, which is over {change.column}")
        self.types.pop(change.column, None)


Shapes = dict[str, Shape]
"""By table; one that no version names is not there."""


def shapes_after(changes: Iterable[Change], before: Shapes | None = None) -> Shapes:
    """Return what the changes make of the tables that they name, one after the other.

    Args:
        changes: in order.
        before: what came before them has made.

    Raises:
        ValueError: one of them cannot follow those before it.
    """
    shapes = deepcopy(before or {})
    for change in changes:
        _add(shapes, change)
    return shapes


def _add(shapes: Shapes, change: Change) -> None:
    indexes = {name: each.indexes for each in shapes.values() for name in each.indexes}
    if isinstance(change, DropIndex):
        if change.name not in indexes:
            raise ValueError(f"no version has created the index {change.name}")
        del indexes[change.name][change.name]
        return
    shape = shapes.setdefault(change.table, Shape())
    if shape.is_dropped:
        raise ValueError(f"{change.table} was dropped before")
    if isinstance(change, DropTable):
        shapes[change.table] = Shape(is_dropped=True)
    elif isinstance(change, CreateIndex) and change.name in indexes:
        raise ValueError(f"there is an index {change.name} already")
    else:
        shape.add(change)
