"""The tables of a REST API as dlt's resources, each with the tables that it is asked by."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, cast

from dlt.common import json
from dlt.common.exceptions import DltException
from dlt.extract import DltResource
from dlt.sources.rest_api import config_setup, rest_api_resources

from pipelines_project.sources.fetch import Extract, Fetch
from pipelines_project.sources.http.api_calls import ApiCalls
from pipelines_project.sources.placeholders import names_month, with_month
from pipelines_project.sources.rest_api.client import Client
from pipelines_project.sources.rest_api.conditional import Etags
from pipelines_project.sources.rest_api.configuration import (
    RestTable,
    endpoint_config,
    resource_config,
)
from pipelines_project.sources.rest_api.session import RestSession
from pipelines_project.sources.rest_api.since_last import Changes


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
            for table in tables:
                self._check_cursor(table)
        except (ValueError, DltException) as error:
            # What follows is how dlt holds a parameter.
            raise ValueError(str(error).partition(" on param")[0]) from error

    def _checked(self, tables: Sequence[RestTable], month: str) -> dict[str, str]:
        """Return the parents of the tables, if dlt takes them all."""
        resources = [cast(Any, resource_config(self._client, table, month)) for table in tables]
        setup: Any = config_setup
        rest_api_resources({"client": {"base_url": self._client.base_url}, "resources": resources})
        parents: Any = setup.build_resource_dependency_graph({}, resources)[2]
        return {
            name: params[0].resolve_config["resource"] for name, params in parents.items() if params
        }

    def _check_cursor(self, table: RestTable) -> None:
        """Refuse a cursor where changes alone cannot make up a month."""
        if table.cursor is None:
            return
        if not table.key:
            raise ValueError(f"{table.name} needs a key: refetch: since_last goes by it")
        if table.name in self._parents:
            raise ValueError(
                f"{table.name} has a parent, whose unchanged rows would not be asked for: set "
                "refetch: all"
            )
        if self.is_snapshot(table.name):
            raise ValueError(f"{table.name} names no month: set refetch: all")

    def is_snapshot(self, name: str) -> bool:
        """Tell whether a table's rows do not depend on the month."""
        return not any(names_month(endpoint_config(table)) for table in self._line(name))

    def extract(self, name: str, calls: ApiCalls) -> Extract:
        """Return what fetches the months of a table; it opens the API when it fetches one."""
        sessions: list[RestSession] = []

        def extract(month: str, fetch: Fetch) -> DltResource:
            if not sessions:
                sessions.append(RestSession(self._client, calls))
            made_for = self._digest(name, month)
            table = self._tables[name]
            if table.cursor is None:
                sessions[0].transport.etags = Etags(made_for, fetch.facts_before, fetch.facts)
                return self._resource_of(name, month, sessions[0], most_rows=fetch.most_rows)
            changes = Changes(table.cursor, month, made_for, fetch, calls)
            if changes.since:
                fetch.changes_by = table.key
            resource = self._resource_of(name, month, sessions[0], changes.params)
            return resource.add_map(changes.noted)

        return extract

    def _line(self, name: str) -> list[RestTable]:
        """Return the table, its parent, the parent of that, and so on."""
        parent = self._parents.get(name)
        return [self._tables[name], *(self._line(parent) if parent else [])]

    def _resource_of(
        self,
        name: str,
        month: str,
        session: RestSession,
        params: Mapping[str, Any] | None = None,
        most_rows: int | None = None,
    ) -> DltResource:
        line: list[Any] = [
            resource_config(self._client, each, month, session) for each in self._line(name)
        ]
        own = line[0]["endpoint"]
        own["params"] = {**own.get("params", {}), **with_month(params or {}, month)}
        resources = rest_api_resources(
            {
                "client": {
                    "base_url": self._client.base_url,
                    "auth": session.auth,
                    "session": session.http,
                },
                "resources": line,
            }
        )
        parents = [each for each in resources if each.name != name and not each.is_transformer]
        for parent in parents if most_rows is not None else []:
            # For a look at a few rows of a child, not every row of its parent need be asked about.
            parent.add_limit(most_rows, count_rows=True)
        return next(resource for resource in resources if resource.name == name)

    def _digest(self, name: str, month: str) -> str:
        """Return what tells whether answers of before were asked for in the same way."""
        table = self._tables[name]
        settings: list[Any] = [
            month,
            self._client.model_dump(),
            [[endpoint_config(each), each.include_from_parent] for each in self._line(name)],
            [dict(table.columns), table.key, table.cursor and table.cursor.model_dump()],
        ]
        return hashlib.sha256(json.dumpb(settings)).hexdigest()[:16]
