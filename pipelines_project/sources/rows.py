"""The shape of a landed row: nested objects are columns, and lists stay in the row as JSON."""

from typing import Any

from dlt.common import json


def lists_as_json(item: Any) -> Any:
    """Return a row whose lists are JSON text, at any depth; anything but a dict as it is.

    dlt turns a list that no column hint declares into a child table, and a month of one table
    must stay one table.
    """
    if not isinstance(item, dict):
        return item
    return {name: _value(value) for name, value in item.items()}


def _value(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return json.dumps(value)
    if isinstance(value, dict):
        return lists_as_json(value)
    return value
