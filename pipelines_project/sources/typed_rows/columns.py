"""A table's columns: where in a row each one's values are, of what type, and how to fill it."""

import base64
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from dlt.common.normalizers.naming import NamingConvention
from dlt.common.schema.typing import TColumnSchema

from pipelines_project.names import ROW_ID_COLUMN
from pipelines_project.sources.column_names import ColumnNames
from pipelines_project.sources.column_origin import origin
from pipelines_project.sources.json.shape import Path
from pipelines_project.sources.typed_rows.column_types import ColumnType, found_type
from pipelines_project.sources.typed_rows.declared_types import declared_type
from pipelines_project.sources.typed_rows.names import leaves, named
from pipelines_project.sources.typed_rows.survey import Row, Survey

_NO_OBJECT: Row = {}


class MisfitError(Exception):
    """A value that does not fit its column: the index of its row, the column, value and reason."""

    def __init__(self, index: int, column: "TypedColumn", value: Any, reason: str) -> None:
        """Say which and why."""
        super().__init__(reason)
        self.index, self.column, self.value, self.reason = index, column, value, reason


@dataclass(frozen=True)
class TypedColumn:
    """A column: its name, its type, and whether it may be null."""

    name: str
    type: ColumnType
    nullable: bool = True

    def array(self, values: list[Any]) -> "pa.Array[Any]":
        """Return the values as an Arrow array.

        Raises:
            MisfitError: one of them does not fit, or is null where none may be.
        """
        if not self.nullable and None in values:
            raise MisfitError(values.index(None), self, None, "it may not be null")
        try:
            return self.type.array(values)
        except _ERRORS:
            for index, value in enumerate(values):
                self._check(index, value)
            raise

    def _check(self, index: int, value: Any) -> None:
        try:
            self.type.array([value])
        except _ERRORS as error:
            raise MisfitError(index, self, value, str(error)) from error


_ERRORS = (ValueError, TypeError, OverflowError, pa.ArrowException)


class TypedColumns:
    """The columns that hold all rows, and those that the source declares."""

    def __init__(
        self,
        seen: Survey,
        declared: Mapping[str, TColumnSchema],
        naming: NamingConvention,
        column_names: ColumnNames,
    ) -> None:
        """Decide on the columns.

        Args:
            seen: of all rows.
            declared: the columns of the resource, by name.
            naming: dlt's naming convention.
            column_names: those that the settings choose.

        Raises:
            SourceError: the settings choose a name that another column has.
        """
        hints = {naming.normalize_path(name): column for name, column in declared.items()}
        types = {name: kind for name, each in hints.items() if (kind := declared_type(each))}
        found = named([*leaves(seen, types, naming, column_names)], naming, column_names)
        self.columns = [
            TypedColumn(
                name,
                types.get(name) or found_type(_at(seen, found[name])),
                hints.get(name, {}).get("nullable") is not False,
            )
            for name in (types | found)
        ]
        self._places: _Places = {}
        for index, column in enumerate(self.columns):
            if column.name in found:
                _insert(self._places, found[column.name], index)
        self.schema = pa.schema(
            [
                pa.field(
                    each.name, each.type.arrow, each.nullable, origin(found.get(each.name, ()))
                )
                for each in self.columns
            ]
            + [pa.field(ROW_ID_COLUMN, pa.string(), nullable=False)]
        )

    def table(self, rows: Sequence[Row]) -> pa.Table:
        """Return rows as a table, with a new `_dlt_id` each.

        Raises:
            MisfitError: a value does not fit its column.
        """
        values: list[list[Any]] = [[None] * len(rows)] * len(self.columns)
        _fill(self._places, rows, values)
        arrays = [column.array(each) for column, each in zip(self.columns, values, strict=True)]
        return pa.Table.from_arrays([*arrays, _ids(len(rows))], schema=self.schema)


# By key: the index of the column that is filled from there, or the places below.
_Places = dict[str, Any]


def _at(seen: Survey, path: Path) -> Survey:
    for key in path:
        seen = seen.keys[key]
    return seen


def _insert(places: _Places, path: Path, leaf: int) -> None:
    *outer, last = path
    for key in outer:
        places = places.setdefault(key, {})
    places[last] = leaf


def _fill(places: _Places, objects: Sequence[Row], values: list[list[Any]]) -> None:
    """Set the values of each column, one for each object."""
    for key, place in places.items():
        found = [each.get(key) for each in objects]
        if isinstance(place, int):
            values[place] = found
        else:
            inner: list[Any] = [v if isinstance(v, dict) else _NO_OBJECT for v in found]
            _fill(place, inner, values)


def _ids(count: int) -> "pa.Array[Any]":
    """Return so many ids of 16 characters."""
    text = base64.urlsafe_b64encode(os.urandom(12 * count)).decode()
    return pa.array([text[at : at + 16] for at in range(0, len(text), 16)], pa.string())
