"""The settings of an endpoint: where the rows of a table are, and how they are asked for."""

from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from pipelines_project.sources.placeholders import with_month
from pipelines_project.sources.rest_api.paginators import AnyPaginator, as_mapping, with_short_form
from pipelines_project.sources.secrets import (
    refuse_literal_header,
    refuse_literals,
    refuse_secrets_in_url,
)
from pipelines_project.sources.settings_model import SettingsModel


class ResponseAction(SettingsModel):
    """An answer that ends a list without an error."""

    status_code: int | None = Field(default=None, description="The status of the answer.")
    content: str | None = Field(default=None, description="A text that the answer holds.")
    action: Literal["ignore"] = Field(description="ignore: the list has no rows from here on.")

    @model_validator(mode="after")
    def _names_an_answer(self) -> Self:
        if self.status_code is None and self.content is None:
            raise ValueError("needs a status_code or a content, which tells the answer")
        return self


class Endpoint(SettingsModel):
    """The endpoint of a table.

    `{month.start}` and `{month.end}` may stand in any text of path, params, json, data and headers,
    and `{resources.<table>.<field>}` for a field of each row of another table of the document.
    """

    path: str | None = Field(
        default=None, description="Below base_url; the table's name if none is given."
    )
    method: Literal["GET", "POST"] = Field(
        default="GET",
        description="The method of the request.",
        json_schema_extra={"enum": ["GET", "POST", "get", "post"]},
    )
    params: dict[str, Any] = Field(default_factory=dict, description="The query's parameters.")
    json_: dict[str, Any] | None = Field(
        default=None, alias="json", description="The body of the request, as JSON."
    )
    data: dict[str, Any] | str | None = Field(
        default=None, description="The body of the request as a form, or as it is."
    )
    headers: dict[str, str] = Field(default_factory=dict, description="More headers.")
    paginator: AnyPaginator | None = Field(
        default=None,
        discriminator="type",
        description="How the pages follow each other.",
        json_schema_extra=with_short_form,
    )
    data_selector: str | None = Field(
        default=None,
        description="The JSON path of the rows in an answer: data.items; $ for the answer itself. "
        "Without one they are looked for as dlt does: the answer itself if it is a list, or one "
        "called data, items, results and the like.",
    )
    response_actions: list[ResponseAction] = Field(
        default_factory=list,
        description="Answers that end a list without an error: {status_code: 404, action: ignore}.",
    )
    most_pages: int | None = Field(
        default=None, description="How many pages the list may have, if not the client's."
    )
    pages_may_repeat: bool = Field(
        default=False,
        description="Whether a page can rightly be the same as the one before it.",
    )

    _short_form = field_validator("paginator", mode="before")(as_mapping)

    @model_validator(mode="before")
    @classmethod
    def _has_path_alone(cls, data: object) -> object:
        return {"path": data} if isinstance(data, str) else data

    @field_validator("method", mode="before")
    @classmethod
    def _in_capitals(cls, method: Any) -> Any:
        return method.upper() if isinstance(method, str) else method

    @field_validator("path")
    @classmethod
    def _is_below(cls, path: str | None) -> str | None:
        if path is not None and "://" in path:
            raise ValueError("must be a path below client.base_url, not an address")
        return refuse_secrets_in_url(path) if path else path

    @field_validator("params", "json_", "data")
    @classmethod
    def _has_no_secret(cls, value: Any) -> Any:
        return refuse_literals(value)

    @field_validator("headers")
    @classmethod
    def _have_no_secret(cls, headers: dict[str, str]) -> dict[str, str]:
        for name in headers:
            refuse_literal_header(name)
        return headers

    @model_validator(mode="after")
    def _names_months_that_there_are(self) -> Self:
        with_month(self.model_dump(), "2000-01")
        return self

    @model_validator(mode="after")
    def _has_one_body(self) -> Self:
        if self.json_ is not None and self.data is not None:
            raise ValueError("has both json and data: a request has one body")
        return self
