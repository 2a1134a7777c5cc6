"""What an API's answers must be: a good status, and JSON of the kind that is expected."""

from collections.abc import Callable, Mapping
from typing import Any

import requests
from dlt.common import json, jsonpath

from pipelines_project.sources.http.api_calls import SourceError

Refusals = Mapping[int, Callable[[requests.Response], str]]
"""For a status that no retry can mend, what its `SourceError` says."""

ResponseHook = Callable[..., None]
_SHOWN = 80


def json_list(advice: str) -> ResponseHook:
    """Return a response hook that refuses what is no JSON list: dlt takes it for a row, or none.

    Args:
        advice: how the refusal ends: what to correct.
    """
    return _beginning_with(b"[", "list", advice)


def json_object(advice: str) -> ResponseHook:
    """Return a response hook that refuses what is no JSON object.

    Args:
        advice: as above.
    """
    return _beginning_with(b"{", "JSON object", advice)


def _beginning_with(start: bytes, kind: str, advice: str) -> ResponseHook:
    def check(response: requests.Response, *_args: Any, **_kwargs: Any) -> None:
        if not response.is_redirect and not response.content[:_SHOWN].lstrip().startswith(start):
            content = response.headers.get("Content-Type", "no Content-Type")
            raise SourceError(
                f"{response.url} answered {response.text[:_SHOWN]!r} ({content}), which is no "
                f"{kind}{advice and f': {advice}'}"
            )

    return check


def parsed_object(response: requests.Response, advice: str = "") -> dict[str, Any]:
    """Return the answer, which must be a JSON object.

    Raises:
        requests.exceptions.InvalidJSONError: it begins like one and is none, as when it is cut off,
            or it is nested more than 1,024 levels deep.
        SourceError: it is something else, such as a page of HTML.
    """
    json_object(advice)(response)
    try:
        return json.loadb(response.content)
    except ValueError as error:
        raise requests.exceptions.InvalidJSONError(
            f"{response.url} answered no JSON: {error}", response=response
        ) from None


def has_list(rows_at: str, response: requests.Response) -> bool:
    """Tell whether the answer has a list at the JSON path, be it an empty one."""
    return any(isinstance(each, list) for each in jsonpath.find_values(rows_at, response.json()))
