"""Finding the versions of keys from the months that state them, and writing them into the table.

Column names of its SQL begin with an underscore. `{keys}` are those of the table's key.
"""

import duckdb

from pipelines_project.landing.landed_month import LandedMonth
from pipelines_project.sql_text import quoted
from pipelines_project.warehouse.columns import table_name, table_types
from pipelines_project.warehouse.ledger import loaded_months
from pipelines_project.warehouse.loaders.stated_month import CHANGED, StatedMonth

HISTORY_COLUMNS = {
    "valid_from": "TIMESTAMP WITH TIME ZONE",
    "valid_to": "TIMESTAMP WITH TIME ZONE",
    "is_current": "BOOLEAN",
    "row_hash": "VARCHAR",
    "until_month": "VARCHAR",
}
_KEPT = "temp.history_kept_rows"
_VERSIONS = "temp.history_versions"

_MONTHS_NAMED = """
    select month from {table} union select until_month from {table} where until_month is not null
"""

# In months that are whole: what the loaded month before does not state of the key.
_IS_NEW = """
    lag(row_hash) over of_key is distinct from row_hash
    or lag(_place) over of_key is distinct from _place - 1
"""
_UNTIL = "$months[_last_place + 1]"

# What each month states of a key, then the months that make a version, then when each holds.
_FIND_VERSIONS = f"""
    create or replace temp table {_VERSIONS} as
    with seen as (
        select {{keys}}, row_hash, _month, month as _row_month, {{version}} as _version
        from {{table}} semi join {CHANGED} using ({{keys}})
        cross join (select unnest($months) as _month)
        where {{is_seen}} and _month <> $month
        union all
        select {{keys}}, row_hash, $month, null, {{version}}
        from {{landed}} semi join {CHANGED} using ({{keys}})
    ), placed as (
        select *, list_position($months, _month) as _place from seen
    ), marked as (
        select *, {{is_new}} as _is_new from placed
        window of_key as (partition by {{keys}} order by _place)
    ), numbered as (
        select *, count(*) filter (where _is_new) over of_key as _number from marked
        window of_key as (partition by {{keys}} order by _place)
    ), made as (
        select
            {{keys}},
            min(row_hash) as row_hash,
            min(_month) as month,
            max(_place) as _last_place,
            nullif(arg_min(coalesce(_row_month, ''), _month), '') as _row_month,
            cast(min(_month) || '-01 00:00:00+00' as timestamptz) as _start,
            coalesce(min(_version), _start) as _since
        from numbered group by {{keys}}, _number
    ), ended as (
        select *, {{until}} as until_month from made
        window of_key as (partition by {{keys}} order by month)
    ), followed as (
        select *, coalesce(lag(until_month) over of_key <> month, false) as _is_back from ended
        window of_key as (partition by {{keys}} order by month)
    ), begun as (
        select *, max(if(_is_back, greatest(_since, _start), _since)) over of_key as valid_from
        from followed
        window of_key as (partition by {{keys}} order by month)
    )
    select
        {{keys}},
        month,
        until_month,
        row_hash,
        _row_month,
        valid_from,
        case
            when lead(month) over of_key = until_month then lead(valid_from) over of_key
            when until_month is not null
                then greatest(cast(until_month || '-01 00:00:00+00' as timestamptz), valid_from)
        end as valid_to,
        until_month is null as is_current
    from begun
    window of_key as (partition by {{keys}} order by month)
"""


def has_history(connection: duckdb.DuckDBPyConnection, place: LandedMonth) -> bool:
    """Tell whether the month's table has versions of rows."""
    return HISTORY_COLUMNS.keys() <= table_types(connection, place).keys()


def find_versions(stated: StatedMonth) -> None:
    """List every version of the changed keys, and in which row its values are.

    `_row_month` is the month of that row of the table, null for one of the load.
    """
    connection, place = stated.connection, stated.place
    table = table_name(place)
    named = connection.execute(_MONTHS_NAMED.format(table=table)).fetchall()
    months = {*loaded_months(connection, place), *(month for (month,) in named), place.month}
    version = quoted(stated.version_column) if stated.version_column else "null"
    statement = _FIND_VERSIONS.format(
        table=table,
        landed=stated.landed,
        keys=stated.keys,
        version=f"cast({version} as timestamptz)",
        is_seen=stated.held_in("_month"),
        is_new=_IS_NEW if stated.is_whole else "true",
        until=_UNTIL if stated.is_whole else "lead(month) over of_key",
    )
    connection.execute(
        statement, {"files": stated.load.files, "month": place.month, "months": sorted(months)}
    )


def replace_versions(stated: StatedMonth) -> None:
    """Write the versions that were found in place of the changed keys' rows."""
    connection, table = stated.connection, quoted(stated.place.table)
    name, of_version = table_name(stated.place), f"versions.* exclude (_row_month, {stated.keys})"
    connection.execute(f"""
        create or replace temp table {_KEPT} as
        select held.* exclude (month, {", ".join(HISTORY_COLUMNS)}), {of_version}
        from {name} as held join {_VERSIONS} as versions
        on {stated.same_key("held", "versions")} and held.month = versions._row_month
    """)
    is_changed = stated.same_key(table, "_changed")
    connection.execute(f"delete from {name} using {CHANGED} as _changed where {is_changed}")
    connection.execute(f"insert into {name} by name from {_KEPT}")
    connection.execute(
        f"""
        insert into {name} by name select landed.* exclude (row_hash), {of_version}
        from {stated.landed} as landed join {_VERSIONS} as versions
        on {stated.same_key("landed", "versions")} and versions._row_month is null
        """,
        {"files": stated.load.files},
    )
