"""The paginators of dlt's `rest_api`, by the names and attributes that dlt gives them."""

from typing import Any, Literal

from dlt.sources.helpers.rest_client.paginators import BasePaginator
from dlt.sources.rest_api.config_setup import create_paginator
from pydantic import Field

from pipelines_project.sources.rest_api.counted_pages import Offset, PageNumber
from pipelines_project.sources.rest_api.paginator import Paginator


class AutoPages(Paginator):
    """Told from the first answer: a Link header, `next`, `total_pages`; one page if there is none.

    A list of which only the first page was noticed is one that lacks rows. Name the paginator.
    """

    type: Literal["auto"] = Field(description="Told from the first answer.")


class SinglePage(Paginator):
    """The first answer is all there is."""

    type: Literal["single_page"] = Field(description="One answer holds every row.")


class HeaderLink(Paginator):
    """The address of the next page is in the `Link` header."""

    type: Literal["header_link"] = Field(description="The next page's address is in Link.")
    links_next_key: str = Field(default="next", description="The relation of the link.")


class JsonLink(Paginator):
    """The address of the next page is in the answer."""

    type: Literal["json_link", "json_response"] = Field(
        description="The next page's address is in the answer."
    )
    next_url_path: str = Field(default="next", description="The JSON path of the address.")

    def made(self) -> BasePaginator | None:
        """Return dlt's paginator by the newer of its two names."""
        return create_paginator({"type": "json_link", "next_url_path": self.next_url_path})


class HeaderCursor(Paginator):
    """The cursor of the next page is in a header."""

    type: Literal["header_cursor"] = Field(description="The next page's cursor is in a header.")
    cursor_key: str = Field(default="next", description="The header.")
    cursor_param: str = Field(default="cursor", description="The parameter that takes the cursor.")


class Cursor(Paginator):
    """The cursor of the next page is in the answer."""

    type: Literal["cursor"] = Field(description="The next page's cursor is in the answer.")
    cursor_path: str = Field(default="cursors.next", description="The JSON path of the cursor.")
    cursor_param: str | None = Field(
        default=None, description="The query parameter that takes it; cursor if none is named."
    )
    cursor_body_path: str | None = Field(
        default=None, description="Where it goes in the body of the request instead."
    )
    stop_after_empty_page: bool = Field(
        default=False, description="Whether a page without rows is the last."
    )
    has_more_path: str | None = Field(
        default=None, description="The JSON path of a truth value: whether more follows."
    )


AnyPaginator = (
    AutoPages | SinglePage | HeaderLink | HeaderCursor | JsonLink | Cursor | Offset | PageNumber
)


_TYPES = [
    "auto",
    "single_page",
    "header_link",
    "header_cursor",
    "json_link",
    "json_response",
    "cursor",
    "page_number",
]
"""Those that need no attribute."""


def as_mapping(paginator: object) -> object:
    """Return `{type: …}` for dlt's short form, the type alone."""
    return {"type": paginator} if isinstance(paginator, str) else paginator


def with_short_form(schema: dict[str, Any]) -> None:
    """Let the JSON schema of a paginator take the short form, which `as_mapping` takes."""
    long = {name: schema.pop(name) for name in ("oneOf", "discriminator") if name in schema}
    schema["anyOf"] = [*schema.get("anyOf", [long]), {"type": "string", "enum": _TYPES}]
