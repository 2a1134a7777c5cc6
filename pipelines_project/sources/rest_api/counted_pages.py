"""The paginators of dlt's `rest_api` that count: pages, or the rows before them."""

from typing import Any, Literal, Self

from dlt.sources.helpers.rest_client.paginators import BasePaginator
from dlt.sources.rest_api.config_setup import create_paginator
from pydantic import Field, field_validator, model_validator

from pipelines_project.sources.rest_api.paginator import Paginator


class _Range(Paginator):
    """Pages that are counted."""

    total_path: str | None = Field(
        default=None,
        description="The JSON path of the total (of pages, or of rows for an offset), if the "
        "answer has one that can be relied on. Without one, a page without rows is the last.",
    )
    stop_after_empty_page: bool = Field(
        default=True, description="Whether a page without rows is the last."
    )
    has_more_path: str | None = Field(
        default=None, description="The JSON path of a truth value: whether more follows."
    )

    def _made(self, bound: str) -> BasePaginator | None:
        given: Any = {"total_path": None, **self.model_dump(exclude_none=True)}
        if self.stop_after_empty_page:
            given.pop(bound, None)
        return create_paginator(given)


_BOUND = (
    "Rows after it are an error, so that a list without end is noticed and none is cut off; with "
    "stop_after_empty_page: false the list ends before it, as in dlt."
)


class PageNumber(_Range):
    """Pages by number."""

    type: Literal["page_number"] = Field(description="Pages by number.")
    base_page: int = Field(default=0, description="The number of the first page.")
    page: int | None = Field(default=None, description="The page to begin with, if not that.")
    page_param: str | None = Field(
        default=None, description="The query parameter of the number; page if none is named."
    )
    page_body_path: str | None = Field(
        default=None, description="Where the number goes in the body of the request instead."
    )
    maximum_page: int | None = Field(
        default=None, description=f"The highest page that may have rows. {_BOUND}"
    )

    @property
    def most_pages(self) -> int | None:
        """As many as up to `maximum_page`."""
        first = self.base_page if self.page is None else self.page
        return None if self.maximum_page is None else self.maximum_page - first + 1

    @property
    def bound(self) -> str:
        """The setting."""
        return "maximum_page"

    def made(self) -> BasePaginator | None:
        """Return dlt's paginator."""
        return self._made("maximum_page")

    @model_validator(mode="after")
    def _has_pages(self) -> Self:
        if self.most_pages is not None and self.most_pages < 1:
            raise ValueError("maximum_page lies before the first page: raise it")
        return self


class Offset(_Range):
    """Pages by the number of rows before them."""

    type: Literal["offset"] = Field(description="Pages by the number of rows before them.")
    limit: int = Field(description="How many rows a page has.")
    offset: int = Field(default=0, description="The offset of the first page.")
    offset_param: str | None = Field(
        default=None, description="The query parameter of the offset; offset if none is named."
    )
    offset_body_path: str | None = Field(
        default=None, description="Where the offset goes in the body of the request instead."
    )
    limit_param: str | None = Field(
        default=None, description="The query parameter of the limit; limit if none is named."
    )
    limit_body_path: str | None = Field(
        default=None, description="Where the limit goes in the body of the request instead."
    )
    maximum_offset: int | None = Field(
        default=None, description=f"The highest offset that may have rows. {_BOUND}"
    )

    @field_validator("limit")
    @classmethod
    def _is_positive(cls, limit: int) -> int:
        if limit < 1:
            raise ValueError("must be at least 1")
        return limit

    @property
    def most_pages(self) -> int | None:
        """As many as up to `maximum_offset`."""
        if self.maximum_offset is None:
            return None
        return (self.maximum_offset - self.offset) // self.limit + 1

    @property
    def bound(self) -> str:
        """The setting."""
        return "maximum_offset"

    def made(self) -> BasePaginator | None:
        """Return dlt's paginator."""
        return self._made("maximum_offset")
