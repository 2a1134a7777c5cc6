"""The tables of a REST API as dlt's resources, each with the tables that it is asked by."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from dlt.common import json
from dlt.common.exceptions import DltException
from dlt.extract import DltResource
from dlt.sources.helpers.rest_client.detector import single_entity_path
from dlt.sources.rest_api import config_setup, rest_api_resources

from pipelines_project.sources.fetch import Extract, Fetch
from pipelines_project.sources.http.api_calls import ApiCalls
from pipelines_project.sources.placeholders import (
    names_month,
    with_literal_braces,
    with_month,
)
from pipelines_project.sources.rest_api.bounded_pages import BoundedPages
from pipelines_project.sources.rest_api.conditional import Etags
from pipelines_project.sources.rest_api.paginators import SinglePage
from pipelines_project.sources.rest_api.session import RestSession
from pipelines_project.sources.rest_api.settings import Client, Endpoint
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
    """

    name: str
    endpoint: Endpoint
    columns: Mapping[str, str] = field(default_factory=dict[str, str])
    include_from_parent: list[str] = field(default_factory=list[str])


class RestTables:
    """The tables of one API, which may be asked by each other's rows."""

    def __init__(self, client: Client, tables: Sequence[RestTable], month: str) -> None:
        """Check the tables as dlt does.

        Args:
            client: where the API is.
            tables: in any order.
            month: any month, to check with.

        Raises:
            ValueError: dlt refuses them, or a placeholder does not exist.
        """
        self._client = client
        self._tables = {table.name: table for table in tables}
        try:
            self._parents = self._checked(tables, month)
        except (ValueError, DltException) as error:
            # What follows is how dlt holds a parameter.
            raise ValueError(str(error).partition(" on param")[0]) from error

    def _checked(self, tables: Sequence[RestTable], month: str) -> dict[str, str]:
        """Return the parents of the tables, if dlt takes them all."""
        resources = [cast(Any, self._resource(table, month)) for table in tables]
        setup: Any = config_setup
        rest_api_resources({"client": {"base_url": self._client.base_url}, "resources": resources})
        parents: Any = setup.build_resource_dependency_graph({}, resources)[2]
        return {
            name: params[0].resolve_config["resource"] for name, params in parents.items() if params
        }

    def is_snapshot(self, name: str) -> bool:
        """Tell whether a table's rows do not depend on the month."""
        return not any(names_month(_dumped(table)) for table in self._line(name))

    def extract(self, name: str, calls: ApiCalls) -> Extract:
        """Return what fetches the months of a table; it opens the API when it fetches one."""
        sessions: list[RestSession] = []

        def extract(month: str, fetch: Fetch) -> DltResource:
            if not sessions:
                sessions.append(RestSession(self._client, calls))
            made_for = self._digest(name, month)
            sessions[0].transport.etags = Etags(made_for, fetch.facts_before, fetch.facts)
            return self._resource_of(name, month, sessions[0])

        return extract

    def _line(self, name: str) -> list[RestTable]:
        """Return the table, its parent, the parent of that, and so on."""
        parent = self._parents.get(name)
        return [self._tables[name], *(self._line(parent) if parent else [])]

    def _resource_of(self, name: str, month: str, session: RestSession) -> DltResource:
        resources = rest_api_resources(
            {
                "client": {
                    "base_url": self._client.base_url,
                    "auth": session.auth,
                    "session": session.http,
                },
                "resources": [
                    cast(Any, self._resource(table, month, session)) for table in self._line(name)
                ],
            }
        )
        return next(resource for resource in resources if resource.name == name)

    def _resource(
        self, table: RestTable, month: str, session: RestSession | None = None
    ) -> dict[str, Any]:
        """Return the table in dlt's configuration."""
        endpoint = with_month(_dumped(table), month)
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
                "paginator": self._pages(table.endpoint, is_single, session),
            },
        }

    def _pages(
        self, endpoint: Endpoint, is_single: bool, session: RestSession | None
    ) -> BoundedPages:
        default = SinglePage(type="single_page") if is_single else self._client.paginator
        paginator = endpoint.paginator or default
        most_pages, bound = self._client.most_pages, "client.most_pages"
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

    def _digest(self, name: str, month: str) -> str:
        """Return what tells whether answers of before were asked for in the same way."""
        of_line = [[_dumped(table), table.include_from_parent] for table in self._line(name)]
        settings = [month, self._client.model_dump(), of_line, dict(self._tables[name].columns)]
        return hashlib.sha256(json.dumpb(settings)).hexdigest()[:16]


_OWN = {"most_pages", "pages_may_repeat", "paginator"}


def _dumped(table: RestTable) -> dict[str, Any]:
    """Return the endpoint's settings that dlt has too, in its names."""
    dumped = table.endpoint.model_dump(by_alias=True, exclude_unset=True, exclude=_OWN)
    given = {name: value for name, value in dumped.items() if value is not None}
    return {**given, "path": given.get("path", table.name)}
