"""How an API of an OpenAPI document is asked: its address and its authentication."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urljoin

from pipelines_project.components.scaffold.openapi import Node, OpenApi
from pipelines_project.components.scaffold.scaffolder import asked
from pipelines_project.sources.rest_api.auth import checked_address

_VARIABLE = re.compile(r"\{([^{}]*)\}")


def base_url(api: OpenApi, given: str | None) -> str:
    """Return the address that paths are below: the one that is given, or the first server's.

    Raises:
        ValueError: it is no address, or holds a secret.
    """
    servers = api.document.get("servers") or []
    server = api.resolved(servers[0]) if servers else {}
    values = api.resolved(server.get("variables"))
    url = _VARIABLE.sub(
        lambda match: str(api.resolved(values.get(match[1])).get("default", match[0])),
        str(server.get("url") or ""),
    )
    if given and not url.startswith("/"):
        url = given
    elif not url.startswith(("http://", "https://")) or "{" in url:
        own = asked(given, "--base-url", "the address of the API, which the document does not name")
        url = urljoin(own, url)
    try:
        return checked_address(url).rstrip("/") + "/"
    except ValueError as error:
        raise ValueError(f"the address of the API: {error}; give --base-url") from None


def authentication(
    api: OpenApi, source: str, address: str
) -> tuple[dict[str, Any] | None, list[str]]:
    """Return the setting `auth`, with environment variables in place of secrets, and comments."""
    components = api.resolved(api.document.get("components"))
    schemes = {
        name: api.resolved(each)
        for name, each in api.resolved(components.get("securitySchemes")).items()
    }
    wanted = [name for each in api.document.get("security") or [] for name in each]
    ordered = [*(name for name in wanted if name in schemes), *schemes]
    found = {name: _auth(schemes[name], source.upper(), address) for name in ordered}
    usable = {name: auth for name, auth in found.items() if auth}
    if not usable:
        names = ", ".join(schemes) or "none"
        return None, [f"No auth: of the security schemes of the document ({names}) none is known."]
    chosen = next(iter(usable))
    others = [name for name in schemes if name != chosen]
    comments = [f"auth is {chosen}; there are also {', '.join(others)}."] if others else []
    variables = [value for name, value in usable[chosen].items() if name.endswith("_env")]
    return usable[chosen], [*comments, f"Set {' and '.join(variables)} where runs are started."]


def _auth(scheme: Node, prefix: str, address: str) -> dict[str, Any] | None:
    match (scheme.get("type"), str(scheme.get("scheme", "")).lower()):
        case ("http", "bearer") | ("openIdConnect", _):
            return {"type": "bearer", "token_env": f"{prefix}_TOKEN"}
        case ("http", "basic"):
            return {
                "type": "http_basic",
                "username_env": f"{prefix}_USERNAME",
                "password_env": f"{prefix}_PASSWORD",
            }
        case ("apiKey", _) if scheme.get("in") in ("header", "query"):
            return {
                "type": "api_key",
                "name": scheme.get("name"),
                "location": scheme["in"],
                "api_key_env": f"{prefix}_API_KEY",
            }
        case ("oauth2", _):
            return next(_flows(scheme, prefix, address), None)
        case _:
            return None


def _flows(scheme: Node, prefix: str, address: str) -> Iterator[dict[str, Any]]:
    flows = scheme.get("flows") or {}
    if token_url := (flows.get("clientCredentials") or {}).get("tokenUrl"):
        yield {
            "type": "oauth2_client_credentials",
            "access_token_url": checked_address(urljoin(address, token_url)),
            "client_id_env": f"{prefix}_CLIENT_ID",
            "client_secret_env": f"{prefix}_CLIENT_SECRET",
        }
    elif flows:
        # Of a flow that needs a person: a token that somebody has got by it.
        yield {"type": "bearer", "token_env": f"{prefix}_TOKEN"}
