"""A table in dlt's `rest_api` configuration, with the pages bounded and the answers checked."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dlt.sources.helpers.rest_client.detector import single_entity_path

from pipelines_project.sources.placeholders import with_literal_braces, with_month
from pipelines_project.sources.rest_api.bounded_pages import BoundedPages
from pipelines_project.sources.rest_api.client import Client
from pipelines_project.sources.rest_api.endpoint import Endpoint
from pipelines_project.sources.rest_api.paginators import SinglePage
from pipelines_project.sources.rest_api.session import RestSession
from pipelines_project.sources.rest_api.since_last import ChangeCursor
from pipelines_project.sources.secrets import Secrets
from pipelines_project.sources.typed_rows.declared_columns import declared_columns


@dataclass(frozen=True)
class RestTable:
    """One table of an API.

    Attributes:
        name: the table.
        endpoint: where its rows are.
        columns: columns with their dlt types, for a month without rows.
        include_from_parent: fields of the parent's row that each of its rows gets.
        key: the columns that tell one row from another.
        cursor: how what changed is asked for; None to fetch every month whole.
    """

    name: str
    endpoint: Endpoint
    columns: Mapping[str, str] = field(default_factory=dict[str, str])
    include_from_parent: list[str] = field(default_factory=list[str])
    key: tuple[str, ...] = ()
    cursor: ChangeCursor | None = None


def resource_config(
    client: Client, table: RestTable, month: str, session: RestSession | None = None
) -> dict[str, Any]:
    """Return the table in dlt's configuration."""
    endpoint = with_month(endpoint_config(table), month)
    for body in ("json", "data"):
        if body in endpoint:
            endpoint[body] = with_literal_braces(endpoint[body])
    is_single = single_entity_path(endpoint["path"])
    actions = endpoint.get("response_actions", [])
    return {
        "name": table.name,
        "columns": declared_columns(table.columns),
        "include_from_parent": table.include_from_parent,
        "endpoint": {
            **endpoint,
            "response_actions": [*actions, *([session.check] if session else [])],
            "paginator": _pages(client, table.endpoint, is_single, session),
        },
    }


def _pages(
    client: Client, endpoint: Endpoint, is_single: bool, session: RestSession | None
) -> BoundedPages:
    default = SinglePage(type="single_page") if is_single else client.paginator
    paginator = endpoint.paginator or default
    most_pages, bound = client.most_pages, "client.most_pages"
    if endpoint.most_pages is not None:
        most_pages, bound = endpoint.most_pages, "endpoint.most_pages"
    if paginator.most_pages is not None and paginator.most_pages < most_pages:
        most_pages, bound = paginator.most_pages, f"paginator.{paginator.bound}"
    return BoundedPages(
        paginator.made(),
        rows_at=endpoint.data_selector or ("$" if is_single else None),
        most_pages=most_pages,
        bound=bound,
        may_repeat=endpoint.pages_may_repeat,
        secrets=session.secrets if session else Secrets(),
        key_parameter=session.key_parameter if session else None,
    )


_OWN = {"most_pages", "pages_may_repeat", "paginator"}


def endpoint_config(table: RestTable) -> dict[str, Any]:
    """Return the endpoint's settings that dlt has too, in its names."""
    dumped = table.endpoint.model_dump(by_alias=True, exclude_unset=True, exclude=_OWN)
    given = {name: value for name, value in dumped.items() if value is not None}
    return {**given, "path": given.get("path", table.name)}
