"""The visits of a month, as one dlt resource."""

import dlt
from dlt.extract import DltResource
from dlt.sources.helpers.rest_client.auth import APIKeyAuth
from dlt.sources.helpers.rest_client.paginators import HeaderLinkPaginator

from pipelines_project.months import month_window
from pipelines_project.sources.fetch import Extract, Fetch
from pipelines_project.sources.http.answers import Refusals
from pipelines_project.sources.http.api_calls import ApiCalls
from pipelines_project.sources.http.api_client import ApiClient
from pipelines_project.sources.typed_rows.declared_columns import declared_columns

COLUMNS = declared_columns(
    {"id": "bigint", "member": "bigint", "branch": "text", "came_at": "timestamp"}
)
REFUSALS: Refusals = {
    401: lambda _: "the library does not know the key: correct LIBRARY_KEY",
    404: lambda response: f"{response.url} has no visits: correct the address in defs.yaml",
}


def visits(address: str, key: str, calls: ApiCalls, most_pages: int) -> Extract:
    """Return what fetches a month's visits; it is made once for a run."""
    auth = APIKeyAuth(name="X-Api-Key", api_key=key, location="header")
    api = ApiClient(
        "the library", address, calls, auth=auth, refusals=REFUSALS, most_pages=most_pages
    )

    def extract(month: str, _fetch: Fetch) -> DltResource:
        texts = {"from": "{month.start}", "to": "{month.end}"}
        params = {name: month_window(text, month) for name, text in texts.items()}
        pages = api.pages("visits", HeaderLinkPaginator(), params)
        return dlt.resource(pages, name="visits", columns=COLUMNS)

    return extract
