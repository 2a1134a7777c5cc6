"""What each column of a table is in the source, which no two months may tell differently.

Names of a source that fall together, such as `userId` and `user_id`, are told apart within a month.
A month that has only one of them gives it the plain name, so the months are compared before one is
loaded.
"""

import json
from collections.abc import Mapping, Sequence

import duckdb

from pipelines_project.landing.landed_month import LandedMonth
from pipelines_project.landing.record import LoadRecord
from pipelines_project.sources.column_origin import pointer, stated
from pipelines_project.warehouse.columns import target_names
from pipelines_project.warehouse.database import UnfitMonthError
from pipelines_project.warehouse.ledger import other_origins
from pipelines_project.warehouse.versions.shape import Shape

Origins = Mapping[str, Sequence[str]]
"""The JSON pointers of what each column is in the source."""


def origins_of_load(record: LoadRecord) -> str | None:
    """Return the origins of a load's columns as the ledger has them; None if none is known.

    They go by the names before versions have renamed columns: a version may make one of two.
    """
    names = target_names(record.schema, Shape())
    found = {names[column]: at for column, at in record.origins.items() if column in names}
    return json.dumps(found) if found else None


def refuse_other_origins(
    connection: duckdb.DuckDBPyConnection, place: LandedMonth, origins: str | None
) -> None:
    """Refuse a load of which a column is another one in the source than in other months.

    Args:
        connection: in a transaction.
        place: the landed month.
        origins: those of its current load, as `origins_of_load` tells them.

    Raises:
        UnfitMonthError: a column is; it names both, the other months, and what to set.
    """
    if origins is None:
        return
    own: Origins = json.loads(origins)
    for text, months in other_origins(connection, place, origins).items():
        others: Origins = json.loads(text)
        differ = [name for name in own if not {*own[name]} & {*others.get(name, own[name])}]
        if differ:
            raise UnfitMonthError(_told(place, months, differ, own, others))


def _told(
    place: LandedMonth, months: Sequence[str], differ: Sequence[str], own: Origins, others: Origins
) -> str:
    said = "; ".join(
        f"column {name!r} is {_named(own[name])} of the source, and {_named(others[name])} in "
        f"{', '.join(months[:3])}{f' and {len(months) - 3} more' if len(months) > 3 else ''}"
        for name in differ[:10]
    )
    more = f"; and {len(differ) - 10} columns more" if len(differ) > 10 else ""
    first = differ[0]
    same = {stated(at): first for at in (*own[first], *others[first]) if at != pointer((first,))}
    apart = {name: f"{first}_2" for name in [*same][:1]}
    return (
        f"{place}: {said}{more}. Nothing was changed. If the two are one column, set "
        f"column_names: {_yaml(same)} and land this month again. If not, give one of them another "
        f"column, such as column_names: {_yaml(apart)}, and land again the months that have it"
    )


def _named(pointers: Sequence[str]) -> str:
    return " or ".join(repr(stated(at)) for at in pointers)


def _yaml(names: Mapping[str, str]) -> str:
    """Return names as a mapping of YAML on one line."""
    pairs = (f"{json.dumps(n, ensure_ascii=False)}: {column}" for n, column in names.items())
    return f"{{{', '.join(pairs)}}}"
