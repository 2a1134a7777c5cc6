"""The `defs.yaml` of an API: a table for each endpoint of an OpenAPI document that lists rows."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field

from pipelines_project.components.scaffold.document import (
    Document,
    ProposedTable,
    literal,
    one_line,
)
from pipelines_project.components.scaffold.openapi import OpenApi
from pipelines_project.components.scaffold.openapi_client import authentication, base_url
from pipelines_project.components.scaffold.openapi_lists import ListEndpoint, list_endpoints
from pipelines_project.components.scaffold.openapi_parameters import pages, unknown_values, window
from pipelines_project.components.scaffold.scaffolder import DocumentScaffolder, asked, asked_month
from pipelines_project.components.scaffold.table_names import table_name, words
from pipelines_project.months import month_of

_PARAMETER = re.compile(r"\{([^{}]*)\}")
_HEADING = [
    "A table without {month.start} is a snapshot: it lands whole, in the current month.",
    "{month.end} is the first day of the next month. Where an API takes that day in too, its rows "
    "land in both months: then ask otherwise.",
]


class RestApiParams(BaseModel):
    """What `dg scaffold defs pipelines_project.components.RestApi` takes."""

    openapi: str | None = Field(
        default=None, description="The file of the API's OpenAPI 3 document, YAML or JSON."
    )
    base_url: str | None = Field(
        default=None, description="The address of the API, if it is not the document's."
    )
    start_month: str | None = Field(default=None, description="The first month there is, YYYY-MM.")


class RestApiScaffolder(DocumentScaffolder[RestApiParams]):
    """Proposes the lists of an API."""

    @classmethod
    def get_scaffold_params(cls) -> type[RestApiParams]:
        """Return the parameters."""
        return RestApiParams

    def document(self, source: str, params: RestApiParams) -> Document:
        """Return a document with each endpoint that answers a list."""
        file = asked(params.openapi, "--openapi", "the file of the API's OpenAPI 3 document")
        api = OpenApi(Path(file))
        address = base_url(api, params.base_url)
        auth, on_auth = authentication(api, source, address)
        lists = _Lists(auth or {})
        # Those that others are asked by come first.
        for path, endpoint, reason in sorted(
            list_endpoints(api), key=lambda each: (each[0].count("{"), each[0])
        ):
            lists.add(path, endpoint, reason)
        if not lists.tables:
            raise ValueError(f"{file} describes no GET endpoint that answers a list of rows")
        is_monthly = any("{month." in str(table.settings) for table in lists.tables)
        start_month = params.start_month
        client = {"base_url": address, **({"auth": auth} if auth else {})}
        return Document(
            heading=[f"Proposed by `dg scaffold` from {Path(file).name}.", *_HEADING],
            attributes={
                "source": source,
                "start_month": asked_month(start_month)
                if is_monthly or start_month
                else month_of(datetime.now(UTC)),
                "client": literal(client),
            },
            tables=lists.tables,
            comments={"client": on_auth},
            left_out=lists.left_out,
        )


class _Lists:
    """The tables that are proposed, and the endpoints without one."""

    def __init__(self, auth: dict[str, Any]) -> None:
        """Begin with none.

        Args:
            auth: how the API is asked, which sets a parameter where the key goes.
        """
        self._auth = auth
        self._names: dict[str, str] = {}
        self._fields: dict[str, Sequence[str]] = {}
        self.tables: list[ProposedTable] = []
        self.left_out: list[str] = []

    def add(self, path: str, endpoint: ListEndpoint | None, reason: str) -> None:
        """Propose a table for an endpoint, or say why there is none."""
        if endpoint is None:
            self._leave(path, reason)
            return
        asked_path, parent = self._path(endpoint)
        months, on_months = window(endpoint)
        paginator, more, on_pages = pages(endpoint)
        params = {**months, **more}
        known = {*params, self._auth.get("name"), *(paginator or {}).values()}
        if unknown := unknown_values(endpoint, dict.fromkeys(known)):
            self._leave(path, f"a request needs {', '.join(unknown)}")
        elif asked_path is None:
            self._leave(path, "no list of this document gives the values for its path")
        else:
            name = self._name(path)
            self._names[path.rstrip("/")], self._fields[name] = name, [*endpoint.fields]
            settings: dict[str, Any] = {"name": name}
            if endpoint.description:
                settings["description"] = one_line(endpoint.description)
            key = _key(name, endpoint)
            settings |= {"key": key} if key else {}
            settings["endpoint"] = {
                "path": asked_path,
                **({"params": params} if params else {}),
                "data_selector": endpoint.selector,
                **({"paginator": paginator} if paginator else {}),
            }
            if parent and not months:
                on_months = [f"Asked for by each row of {parent}, and of the same month."]
            on_key = [] if key else ["Add key, if some columns tell the rows of a month apart."]
            comments = [*on_key, *on_months, *on_pages]
            self.tables.append(ProposedTable(literal(settings), comments))

    def _leave(self, path: str, reason: str) -> None:
        self.left_out.append(f"Left out: GET {one_line(path)}, for {reason}.")

    def _path(self, endpoint: ListEndpoint) -> tuple[str | None, str]:
        """Return the path with a field of another table for its parameter, and that table."""
        path = endpoint.path.lstrip("/")
        parameters = _PARAMETER.findall(path)
        if not parameters:
            return path or "/", ""
        before, _, after = endpoint.path.partition(f"/{{{parameters[0]}}}")
        parent = self._names.get(before, "")
        fields = self._fields.get(parent, ())
        # Called like the parameter, or like `id` or `_id`.
        by_words = {"_".join(words(each)): each for each in reversed(fields)}
        own = "_".join(words(parameters[0]))
        field = by_words.get(own, by_words.get("id"))
        if len(parameters) > 1 or field is None:
            return None, ""
        return f"{before.lstrip('/')}/{{resources.{parent}.{field}}}{after}", parent

    def _name(self, path: str) -> str:
        parts = [part for part in path.split("/") if part and "{" not in part]
        taken = {*self._names.values()}
        called = table_name(parts[-1] if parts else "rows", ())
        return called if called not in taken else table_name("_".join(parts[-2:]), taken)


def _key(name: str, endpoint: ListEndpoint) -> list[str]:
    """Return the column that is called like a key."""
    landed = ["_".join(words(field)) for field in endpoint.fields]
    last = name.rpartition("_")[2]
    called = ("id", "uuid", "guid", f"{name}_id", f"{last.removesuffix('s')}_id")
    return [each for each in called if each in landed][:1]
