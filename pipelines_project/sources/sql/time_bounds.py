"""Times that Arrow could hold only as others: infinite ones, and those beyond the years 1 to 9999.

PostgreSQL's `infinity` arrives as a number like any other, and the time 24:00:00 as one that
readers take for midnight of the same day.
"""

from datetime import date
from typing import Any

import pyarrow as pa
import pyarrow.compute

from pipelines_project.sources.http.api_calls import SourceError
from pipelines_project.sources.sql.settings import SqlSettings

# Its functions are made when it is imported, where no type checker sees them.
pc: Any = pyarrow.compute

_DAY = 86_400_000_000
_EPOCH = date(1970, 1, 1).toordinal()
_FIRST_DAY, _LAST_DAY = date.min.toordinal() - _EPOCH, date.max.toordinal() - _EPOCH


def refuse_unbounded(settings: SqlSettings, table: pa.Table) -> None:
    """Refuse a table with a time that would not arrive as it is.

    Raises:
        SourceError: names the column.
    """
    for name in table.column_names:
        column: Any = table[name]
        if (bounds := _bounds(column.type)) is None:
            continue
        number, least, most = bounds
        found = pc.min_max(column.cast(number)).as_py()
        if found["min"] is not None and (found["min"] < least or found["max"] > most):
            raise SourceError(
                f"{settings.place}: the column {name} has a time that is infinite, outside of the "
                "years 1 to 9999, or 24:00:00: leave it out with `exclude`, or write a `query` "
                f"with {name}::text, or nullif({name}, 'infinity')"
            )


def _bounds(kind: pa.DataType) -> "tuple[pa.DataType, int, int] | None":
    """Return the type of the numbers that stand for times, and the least and the most of them."""
    if pa.types.is_date(kind):
        return pa.int32(), _FIRST_DAY, _LAST_DAY
    if pa.types.is_timestamp(kind):
        return pa.int64(), _FIRST_DAY * _DAY, (_LAST_DAY + 1) * _DAY - 1
    return (pa.int64(), 0, _DAY - 1) if pa.types.is_time(kind) else None
