"""The settings of a client: where an API is, and how it is asked."""

from urllib.parse import urlsplit

from pydantic import Field, field_validator

from pipelines_project.sources.http.api_client import MOST_PAGES
from pipelines_project.sources.http.rate_limit import RateLimit
from pipelines_project.sources.rest_api.auth import Auth, checked_address
from pipelines_project.sources.rest_api.paginators import AnyPaginator, as_mapping, with_short_form
from pipelines_project.sources.secrets import (
    checked_variable,
    refuse_literal_header,
)
from pipelines_project.sources.settings_model import SettingsModel


class FromEnvironment(SettingsModel):
    """A value that an environment variable holds."""

    env: str = Field(description="The name of the environment variable.")

    _is_variable = field_validator("env")(checked_variable)


class Pace(SettingsModel):
    """How fast an API may be asked; a 429 is waited for with `Retry-After` in any case."""

    requests_per_minute: float | None = Field(
        default=None,
        description="How many requests all runs of the account send in any minute at most; by "
        "default what X-RateLimit-Total says, or else as many as there are.",
    )
    reserve: int = Field(
        default=0,
        description="How much of the limit that X-RateLimit-Remaining tells is left to others.",
    )
    max_wait_seconds: float = Field(
        default=3600, description="How long one request may be put off by 429 answers."
    )
    window_seconds: float = Field(
        default=60,
        description="Over how long the service counts; requests_per_minute: 120 with "
        "window_seconds: 1 are two requests in any second. Also how long to wait where it answers "
        "429 and does not say.",
    )

    @field_validator("requests_per_minute", "window_seconds")
    @classmethod
    def _is_positive(cls, value: float | None) -> float | None:
        if value is not None and value <= 0:
            raise ValueError("must be more than 0")
        return value

    @property
    def limit(self) -> RateLimit:
        """The limit as the HTTP layer keeps it."""
        return RateLimit(
            self.reserve,
            self.max_wait_seconds,
            self.window_seconds,
            self.requests_per_minute,
            "client.rate_limit.max_wait_seconds",
        )


class Client(SettingsModel):
    """Where an API is and how it is asked."""

    base_url: str = Field(description="The address that the paths of the endpoints are below.")
    auth: Auth | None = Field(
        default=None,
        discriminator="type",
        description="How requests are authenticated: bearer, api_key, http_basic or "
        "oauth2_client_credentials. Secrets are named by their environment variables.",
    )
    headers: dict[str, str | FromEnvironment] = Field(
        default_factory=dict,
        description="Sent with every request; {env: NAME} for a value that is a secret.",
    )
    paginator: AnyPaginator = Field(
        default_factory=lambda: as_mapping("auto"),  # pyright: ignore[reportArgumentType]
        validate_default=True,
        discriminator="type",
        description="How the pages of a list follow each other, unless the endpoint says it.",
        json_schema_extra=with_short_form,
    )
    rate_limit: Pace = Field(default_factory=Pace, description="How fast the API may be asked.")
    most_pages: int = Field(
        default=MOST_PAGES,
        description="How many pages one list may have; one with more would perhaps never end.",
    )

    @property
    def account(self) -> str:
        """What tells whose rate limit it is: the host, and the variables that hold the key."""
        return " ".join(
            [urlsplit(self.base_url).netloc, *(self.auth.variables if self.auth else [])]
        )

    _short_form = field_validator("paginator", mode="before")(as_mapping)

    @field_validator("base_url")
    @classmethod
    def _is_address(cls, url: str) -> str:
        return checked_address(url)

    @field_validator("headers")
    @classmethod
    def _have_no_secret(
        cls, headers: dict[str, str | FromEnvironment]
    ) -> dict[str, str | FromEnvironment]:
        for name, value in headers.items():
            if isinstance(value, str):
                refuse_literal_header(name)
        return headers

    @field_validator("most_pages")
    @classmethod
    def _is_positive(cls, most: int) -> int:
        if most < 1:
            raise ValueError("must be at least 1")
        return most
