"""The SQL of made-up events: the columns of a row, and its line in a file of each format."""


def _pick(what: str, count: int) -> str:
    """Return the SQL of a number below `count`, which hangs on the file, the row and `what`."""
    return f"cast(hash(i, $salt, '{what}') % {count} as bigint)"


# The columns of row `i`; `$salt` makes the rows of one file differ from another's.
COLUMNS = f"""
    select
        i,
        $first + i as event_id,
        ['view', 'cart', 'order', 'refund'][1 + {_pick("event", 4)}] as event,
        strftime(
            cast($month || '-01' as timestamp)
            + to_seconds({_pick("second", 2419200)}),
            '%Y-%m-%dT%H:%M:%SZ'
        ) as created_at,
        {_pick("user", 100000)} as user_id,
        ['DE', 'FR', 'GB', 'IN', 'US'][1 + {_pick("user", 5)}] as country,
        {_pick("amount", 100000)} / 100 as amount,
        {_pick("paid", 2)} = 0 as is_paid,
        ['new', 'sale', 'gift', 'bulk'] as words,
        1 + {_pick("tag", 3)} as tag,
        if(i % 3 = 0, 'left at the door, ünder the möt', null) as note,
        {_pick("stars", 5)} + 1 as stars
    from range($rows) as numbers(i)
"""
_EVENT = """'event_id': event_id, 'event': event, 'created_at': created_at,
    'user': {'id': user_id, 'name': 'user ' || user_id, 'country': country},
    'page': '/shop/item/' || user_id || '?from=mail', 'amount': amount,
    'is_paid': is_paid, 'tags': words[tag:tag + 1], 'note': note"""
# Every fifth row has an object that the others lack.
LINES = {
    "jsonl": f"""
        if(
            i % 5 = 0,
            to_json({{{_EVENT}, 'review': {{'stars': stars, 'ratio': stars / 7}}}}),
            to_json({{{_EVENT}}})
        )
    """,
    "csv": """
        concat_ws(',', event_id, event, created_at, user_id, country, amount, is_paid,
            '"' || coalesce(note, '') || '"')
    """,
}
CSV_HEADER = "event_id,event,created_at,user_id,country,amount,is_paid,note\n"
