"""The month's window in the texts of an endpoint, beside the placeholders that are dlt's own."""

import re
from collections.abc import Callable
from typing import Any, cast

from pipelines_project import months

# A name with a point is a placeholder; every other brace of a body is itself, as in GraphQL.
_PLACEHOLDER = re.compile(r"\{[A-Za-z_]\w*\.[^{}]*\}")


def names_month(value: Any) -> bool:
    """Tell whether a text, or one of the texts in it, depends on the month."""
    found: list[str] = []
    each_text(value, lambda text: found.append(text) or text)
    return any(map(months.names_month, found))


def with_month(value: Any, month: str) -> Any:
    """Return the value with the month's window in all of its texts.

    Raises:
        ValueError: a text has a placeholder of the month that there is not.
    """
    return each_text(value, lambda text: months.month_window(text, month))


def with_literal_braces(value: Any) -> Any:
    """Return the body of a request with each brace doubled that begins or ends no placeholder."""
    return each_text(value, _with_literal_braces)


def _with_literal_braces(text: str) -> str:
    doubled, at = "", 0
    for match in _PLACEHOLDER.finditer(text):
        doubled += _doubled(text[at : match.start()]) + match[0]
        at = match.end()
    return doubled + _doubled(text[at:])


def _doubled(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


def each_text(value: Any, change: Callable[[str], str]) -> Any:
    """Return a value with each text in it changed, keys too."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        pairs = cast(dict[Any, Any], value).items()
        return {each_text(key, change): each_text(inner, change) for key, inner in pairs}
    if isinstance(value, list):
        return [each_text(inner, change) for inner in cast(list[Any], value)]
    return value
