"""Secrets: named in a document, read from the environment by a run, and kept out of every text."""

import os
import re
from collections.abc import Iterator, Mapping
from typing import Any, cast
from urllib.parse import parse_qsl, quote, quote_plus, urlencode, urlsplit, urlunsplit

from dlt.sources.helpers.rest_client.redaction import SENSITIVE_PARAMS

from pipelines_project.sources.http.api_calls import SourceError

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,200}")
_SECRET_HEADER = re.compile(r"authorization|cookie|.*(token|secret|api[-_]?key|password).*", re.I)
# Shorter ones stand in too many words to be taken out of texts.
_LEAST_HIDDEN = 4
# A parameter called `key` or `token` can be something else, such as the key to sort by.
_LEAST_SUSPECT = 8


def checked_variable(name: str) -> str:
    """Return the name of an environment variable.

    Raises:
        ValueError: it is none.
    """
    # What was given is not quoted: it may be the secret.
    if not _NAME.fullmatch(name):
        raise ValueError("give the name of an environment variable, not the secret that it holds")
    return name


class Secrets:
    """The secrets that a run has read, and texts without them."""

    def __init__(self) -> None:
        """Know none."""
        self._hidden: set[str] = set()

    def read(self, name: str) -> str:
        """Return what the environment variable holds.

        Raises:
            SourceError: it is not set.
        """
        value = os.environ.get(name, "").strip()
        if not value:
            raise SourceError(f"{name} is not set: the document names it as the secret's place")
        return self.add(value)

    def add(self, value: str) -> str:
        """Hide this text too, and return it."""
        if len(value) >= _LEAST_HIDDEN:
            self._hidden |= {value, quote(value, safe=""), quote_plus(value)}
        return value

    def __deepcopy__(self, _memo: object) -> "Secrets":
        """Return the same: dlt copies a paginator for each list, and more may be read meanwhile."""
        return self

    def hidden(self, text: str) -> str:
        """Return the text with every secret taken out."""
        for value in sorted(self._hidden, key=len, reverse=True):
            text = text.replace(value, "***")
        return text


def refuse_literal_header(name: str) -> None:
    """Refuse a header that holds a secret as its value.

    Raises:
        ValueError: it has the name of one that does.
    """
    if _SECRET_HEADER.fullmatch(name):
        raise ValueError(
            f"the header {name} holds a secret, which has no place here: use auth, or give "
            f"{{env: NAME}} in client.headers, with the name of the environment variable"
        )


def refuse_literals(value: Any, instead: str = "") -> Any:
    """Return parameters, or the body of a request, if no part of them is a secret's value.

    Args:
        value: the parameters.
        instead: what would be right; by default the client's authentication.

    Raises:
        ValueError: one has the name of a secret.
    """
    for name, text in _named_texts(value):
        if name.lower() in SENSITIVE_PARAMS and len(text) >= _LEAST_SUSPECT and "{" not in text:
            right = instead or (
                f"give its environment variable in client.auth, such as {{type: api_key, name: "
                f"{name}, location: query, api_key_env: NAME}}"
            )
            raise ValueError(f"{name} holds a secret, which has no place here: {right}")
    return value


def refuse_secrets_in_url(url: str) -> str:
    """Return an address that holds no password and no key.

    Raises:
        ValueError: it does.
    """
    if "@" in urlsplit(url).netloc:
        raise ValueError("an address with a user or password has no place here: use client.auth")
    refuse_literals(dict(parse_qsl(urlsplit(url).query)))
    return url


def without_parameter(url: str, name: str) -> str:
    """Return an address without one of the parameters of its query."""
    parts = urlsplit(url)
    query = parse_qsl(parts.query, keep_blank_values=True)
    left = [(each, value) for each, value in query if each != name]
    return url if left == query else urlunsplit(parts._replace(query=urlencode(left)))


def _named_texts(value: Any) -> Iterator[tuple[str, str]]:
    """Yield every text of nested mappings and lists with the key that it stands at."""
    if isinstance(value, Mapping):
        for name, inner in cast(Mapping[Any, Any], value).items():
            if isinstance(inner, str):
                yield str(name), inner
            else:
                yield from _named_texts(inner)
    elif isinstance(value, list):
        for inner in cast(list[Any], value):
            yield from _named_texts(inner)
