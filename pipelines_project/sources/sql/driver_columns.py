"""The columns of a table as SQLAlchemy reflects them, declared to dlt, and which values each takes.

SQLAlchemy's own conversion of values is left out: for SQLite it rounds decimals, and fails on a
text in the place of a date without naming it.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from dlt.common.schema.typing import TColumnSchema
from sqlalchemy import types

from pipelines_project.sources.http.api_calls import SourceError
from pipelines_project.sources.sql.settings import SqlSettings

_DIGITS = 38
_TIMES = (datetime, date, time, timedelta)
# What each type takes of a driver. What else is there, SQLite has let in.
_TAKEN: dict[str, tuple[type, ...]] = {
    "text": (str, int, float, Decimal, UUID, *_TIMES),
    "bigint": (int,),
    "double": (float, int, Decimal),
    "decimal": (Decimal, int, float),
    "bool": (bool, int),
    "timestamp": (datetime, date, str),
    "date": (date, str),
    "time": (time, str),
    "binary": (bytes,),
}


def declared(name: str, sql_type: types.TypeEngine[Any]) -> TColumnSchema | None:
    """Return what dlt is told of a column, or None for a type that only its values show."""
    column: Any = {"name": name, **_declared(sql_type)}
    return column if "data_type" in column else None


def _declared(sql_type: types.TypeEngine[Any]) -> dict[str, Any]:
    match sql_type:
        case types.Boolean():
            return {"data_type": "bool"}
        case types.Float():
            return {"data_type": "double"}
        case types.Numeric(precision=int(precision), scale=int(scale)) if precision <= _DIGITS:
            return {"data_type": "decimal", "precision": precision, "scale": scale}
        case types.BigInteger() if getattr(sql_type, "unsigned", False):
            return {"data_type": "decimal", "precision": 20, "scale": 0}
        case types.Integer():
            return {"data_type": "bigint"}
        case types.DateTime():
            has_zone = sql_type.timezone or sql_type.__visit_name__ == "DATETIMEOFFSET"
            return {"data_type": "timestamp", "timezone": has_zone}
        case types.Date():
            return {"data_type": "date"}
        case types.LargeBinary() | types.BINARY() | types.VARBINARY():
            return {"data_type": "binary"}
        case types.String() | types.Uuid() | types.JSON():
            return {"data_type": "text"}
        # A number of any scale, and what some databases take for a duration.
        case types.Numeric() | types.Time() | types.Interval():
            return {"data_type": "text"}
        case _:
            return {}


def refuse_mistyped(
    settings: SqlSettings,
    columns: Mapping[str, TColumnSchema],
    names: Sequence[str],
    rows: Sequence[Sequence[Any]],
    before: int,
) -> None:
    """Refuse rows with a value that its column's type would make into another.

    Such as a number in the place of a time, which could be seconds or days, or bytes in a text.

    Args:
        settings: of the table.
        columns: what is declared.
        names: of the columns, in the order of the rows' values.
        rows: the values.
        before: how many rows came before.

    Raises:
        SourceError: names the row, the column, the value and both types.
    """
    for name, values in zip(names, zip(*rows, strict=True), strict=True):
        data_type = columns.get(name, {}).get("data_type")
        if data_type is None:
            continue
        there: set[type] = set(map(type, values)) - {type(None)}
        wrong = {kind for kind in there if not issubclass(kind, _TAKEN[data_type])}
        if not wrong:
            continue
        at, value = next((i, v) for i, v in enumerate(values) if type(v) in wrong)
        raise SourceError(
            f"{settings.place}: row {before + at + 1} has {str(value)[:80]!r}, of the type "
            f"{type(value).__name__}, in {name}, which is declared {data_type}: correct the row, "
            "or write a `query` that casts the column"
        )
