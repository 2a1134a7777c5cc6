"""What the parameters of an endpoint are for: the month's window, and the pages of a list."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from pipelines_project.components.scaffold.month_columns import changes_later
from pipelines_project.components.scaffold.openapi import Node, is_a
from pipelines_project.components.scaffold.openapi_lists import ListEndpoint, Parameter, json_path
from pipelines_project.components.scaffold.table_names import words

_ENDS = {
    "from": ("to", "until", "till"),
    "start": ("end", "stop"),
    "begin": ("end",),
    "since": ("until", "to", "before"),
    "after": ("before",),
    "min": ("max",),
    "gte": ("lt", "lte"),
    "gt": ("lt", "lte"),
    "ge": ("lt", "le"),
}
_DATE = re.compile(r"date|time|day|iso.?8601|rfc.?3339|yyyy|created|updated|modified", re.I)
_SECONDS = re.compile(r"epoch|unix|timestamp|seconds since", re.I)
_PAGE = ("page", "page_number", "page_no", "page_num", "page_index", "current_page")
_OFFSET = ("offset", "skip", "page_offset")
_SIZE = (
    "limit", "per_page", "page_size", "pagesize", "size", "count", "take", "page_limit",
    "max_results",
)  # fmt: skip
_CURSOR = (
    "cursor", "page_token", "next_token", "pagination_token", "continuation_token", "next_cursor",
    "starting_after", "page_cursor", "after",
)  # fmt: skip
_NEXT_CURSOR = (
    "next_cursor", "next_page_token", "next_token", "continuation_token", "pagination_token",
    "cursor", "end_cursor", "after", "next",
)  # fmt: skip
_NEXT_LINK = ("next", "next_url", "next_page_url", "next_link", "odata_next_link")
_ASSUMED_LIMIT = 100


def window(endpoint: ListEndpoint) -> tuple[dict[str, str], list[str]]:
    """Return the parameters that ask for a month's rows, and comments on the choice."""
    found = [*_windows(_query(endpoint))]
    if not found:
        return {}, ["A snapshot: no parameters ask for the rows of a month."]
    found.sort(key=lambda pair: changes_later(pair[0].name))
    (start, end), others = found[0], found[1:]
    params = {start.name: _bound("start", start), end.name: _bound("end", end)}
    listed = ", ".join(f"{first.name} and {last.name}" for first, last in others)
    return params, [f"The months are those of {start.name}; also {listed}."] if others else []


def pages(endpoint: ListEndpoint) -> tuple[dict[str, Any] | None, dict[str, Any], list[str]]:
    """Return the paginator, parameters that go with it, and comments."""
    by_words = {"_".join(words(each.name)): each for each in _query(endpoint)}

    def named(names: Sequence[str]) -> Parameter | None:
        return next((by_words[each] for each in names if each in by_words), None)

    size = named(_SIZE)
    most = {size.name: size.schema["maximum"]} if size and "maximum" in size.schema else {}
    cursor = named(_CURSOR)
    path = _text(endpoint, _NEXT_CURSOR, lambda schema: not _is_address(schema))
    link = _text(endpoint, _NEXT_LINK, lambda schema: not cursor or _is_address(schema))
    if cursor and path and not _is_date(cursor):
        return {"type": "cursor", "cursor_path": path, "cursor_param": cursor.name}, most, []
    if link:
        return {"type": "json_link", "next_url_path": link}, most, []
    if "link" in endpoint.headers:
        return {"type": "header_link"}, most, []
    if page := named(_PAGE):
        first = page.schema.get("minimum", page.schema.get("default"))
        base = first if first in (0, 1) else 1
        comments = [] if first in (0, 1) else [f"The first {page.name} is taken to be 1."]
        paginator = {"type": "page_number", "base_page": int(base)}
        return paginator | _other("page_param", page.name, "page"), most, comments
    if (offset := named(_OFFSET)) and size:
        limit = size.schema.get("maximum") or size.schema.get("default") or _ASSUMED_LIMIT
        paginator = {"type": "offset", "limit": int(limit)}
        paginator |= _other("offset_param", offset.name, "offset")
        return paginator | _other("limit_param", size.name, "limit"), {}, []
    return None, {}, ["How its pages follow each other is not described: name the paginator."]


def unknown_values(endpoint: ListEndpoint, known: Mapping[str, Any]) -> list[str]:
    """Return the parameters that a request must have, and of which no value is known."""
    return [
        each.name
        for each in endpoint.parameters
        if each.required
        and each.place in ("query", "header")
        and each.name not in known
        and "default" not in each.schema
    ]


def _query(endpoint: ListEndpoint) -> list[Parameter]:
    return [each for each in endpoint.parameters if each.place == "query"]


def _other(setting: str, name: str, default: str) -> dict[str, str]:
    return {} if name == default else {setting: name}


def _windows(query: Sequence[Parameter]) -> Iterator[tuple[Parameter, Parameter]]:
    by_words = {tuple(words(each.name)): each for each in query if _is_date(each)}
    for named, start in by_words.items():
        for at, word in enumerate(named):
            for other in _ENDS.get(word, ()):
                if end := by_words.get((*named[:at], other, *named[at + 1 :])):
                    yield start, end
                    break


def _is_date(parameter: Parameter) -> bool:
    said = f"{parameter.name} {parameter.description}"
    if parameter.schema.get("format") in ("date", "date-time", "unix-time"):
        return True
    if is_a(parameter.schema, "integer") or is_a(parameter.schema, "number"):
        return bool(_SECONDS.search(said))
    return bool(_DATE.search(said))


def _bound(name: str, parameter: Parameter) -> str:
    schema = parameter.schema
    if is_a(schema, "integer") or is_a(schema, "number") or schema.get("format") == "unix-time":
        thousands = "000" if "milli" in parameter.description.lower() else ""
        return f"{{month.{name}:%s}}{thousands}"
    if schema.get("format") == "date-time":
        return f"{{month.{name}:%Y-%m-%dT%H:%M:%SZ}}"
    return f"{{month.{name}}}"


def _is_address(schema: Node) -> bool:
    return schema.get("format") in ("uri", "url", "uri-reference")


def _text(endpoint: ListEndpoint, names: Sequence[str], fits: Callable[[Node], bool]) -> str | None:
    """Return the JSON path of a text of an answer that is called so: `next`, or `next.href`."""
    called: dict[str, tuple[str, ...]] = {}
    for path, schema in endpoint.beside.items():
        own = [name for name in path if name != "href"]
        if own and fits(schema):
            called.setdefault("_".join(words(own[-1])), path)
    found = next((called[each] for each in names if each in called), None)
    return json_path(*found) if found else None
