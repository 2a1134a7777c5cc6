"""The SQL by which the versions of keys are found, from the months that state them.

Column names of its own begin with an underscore. `{keys}` are those of the table's key.
"""

CHANGED = "temp.history_changed_keys"
VERSIONS = "temp.history_versions"

MONTHS_NAMED = """
    select month from {table} union select until_month from {table} where until_month is not null
"""

# In months that are whole: what the loaded month before does not state of the key.
IS_NEW = """
    lag(row_hash) over of_key is distinct from row_hash
    or lag(_place) over of_key is distinct from _place - 1
"""
UNTIL = "$months[_last_place + 1]"

# What each month states of a key, then the months that make a version, then when each holds.
FIND_VERSIONS = f"""
    create or replace temp table {VERSIONS} as
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
