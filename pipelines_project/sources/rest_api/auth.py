"""The kinds of authentication of dlt's `rest_api`, with names of variables in place of secrets."""

from base64 import b64encode
from typing import Any, ClassVar, Literal, cast

import requests
from dlt.sources.helpers.rest_client.auth import (
    APIKeyAuth,
    AuthConfigBase,
    BearerTokenAuth,
    HttpBasicAuth,
    OAuth2ClientCredentials,
)
from pydantic import Field, ValidationInfo, field_validator, model_validator

from pipelines_project.sources.http.answers import parsed_object
from pipelines_project.sources.http.api_calls import ApiCalls, SourceError
from pipelines_project.sources.http.api_client import host_session
from pipelines_project.sources.secrets import Secrets, checked_variable, refuse_secrets_in_url
from pipelines_project.sources.settings_model import SettingsModel


class _Auth(SettingsModel):
    """Authentication: every attribute that ends with `_env` names an environment variable."""

    secret: ClassVar[tuple[str, ...]]

    @model_validator(mode="before")
    @classmethod
    def _has_no_secret(cls, data: object) -> object:
        given = cast(dict[str, object], data) if isinstance(data, dict) else {}
        for name in cls.secret:
            if name in given:
                raise ValueError(
                    f"{name} would hold a secret, which has no place in a document: give "
                    f"{name}_env, the name of the environment variable that holds it"
                )
        return cast(object, data)

    @field_validator("*")
    @classmethod
    def _names_variable(cls, value: Any, info: ValidationInfo) -> Any:
        return checked_variable(value) if (info.field_name or "").endswith("_env") else value

    @property
    def variables(self) -> list[str]:
        """The environment variables that hold the secrets."""
        return [getattr(self, f"{name}_env") for name in self.secret]


class BearerAuth(_Auth):
    """A token in the header `Authorization: Bearer …`."""

    secret = ("token",)

    type: Literal["bearer"] = Field(description="Bearer token.")
    token_env: str = Field(description="The environment variable that holds the token.")

    def made(self, secrets: Secrets, calls: ApiCalls) -> AuthConfigBase:
        """Return dlt's authentication with the secret of now."""
        return BearerTokenAuth.from_init_value({"token": secrets.read(self.token_env)})


class ApiKeyAuth(_Auth):
    """A key in a header or in the query."""

    secret = ("api_key",)

    type: Literal["api_key"] = Field(description="API key.")
    api_key_env: str = Field(description="The environment variable that holds the key.")
    name: str = Field(
        default="Authorization", description="The name of the header, or of the query parameter."
    )
    location: Literal["header", "query", "param"] = Field(
        default="header",
        description="Where the key goes: header, or query (param is the same). A key in the query "
        "is added as the request goes out, so that no log or error shows it.",
    )

    @property
    def in_query(self) -> bool:
        """Whether the key is a parameter of the query."""
        return self.location != "header"

    def made(self, secrets: Secrets, calls: ApiCalls) -> AuthConfigBase | None:
        """Return dlt's authentication with the key of now; None for one that is in the query."""
        key = secrets.read(self.api_key_env)
        if self.in_query:
            return None
        return APIKeyAuth.from_init_value({"name": self.name, "api_key": key, "location": "header"})


class BasicAuth(_Auth):
    """A user name and a password; many APIs take the key as the one and `x` as the other."""

    secret = ("username", "password")

    type: Literal["http_basic"] = Field(description="HTTP basic authentication.")
    username_env: str = Field(description="The environment variable that holds the user name.")
    password_env: str = Field(description="The environment variable that holds the password.")

    def made(self, secrets: Secrets, calls: ApiCalls) -> AuthConfigBase:
        """Return dlt's authentication with the password of now."""
        username, password = secrets.read(self.username_env), secrets.read(self.password_env)
        secrets.add(b64encode(f"{username}:{password}".encode()).decode())
        return HttpBasicAuth.from_init_value({"username": username, "password": password})


class ClientCredentialsAuth(_Auth):
    """OAuth 2.0 client credentials: a token that is asked for, and asked for anew in time."""

    secret = ("client_id", "client_secret")

    type: Literal["oauth2_client_credentials"] = Field(description="OAuth 2.0 client credentials.")
    access_token_url: str = Field(description="The address that gives the token.")
    client_id_env: str = Field(description="The environment variable of the client's id.")
    client_secret_env: str = Field(description="The environment variable of its secret.")
    access_token_request_data: dict[str, str] = Field(
        default_factory=dict, description="More fields of the token's request, such as scope."
    )
    default_token_expiration: int = Field(
        default=3600, description="Seconds that a token holds whose answer does not say it."
    )

    @field_validator("access_token_url")
    @classmethod
    def _is_address(cls, url: str) -> str:
        return checked_address(url)

    def made(self, secrets: Secrets, calls: ApiCalls) -> AuthConfigBase:
        """Return dlt's authentication, whose requests for a token are bounded and counted."""
        session = host_session("The token's address", self.access_token_url, {}, calls)

        def check(response: requests.Response, *_args: Any, **_kwargs: Any) -> None:
            try:
                calls.checked({})(response)
                token = parsed_object(response).get("access_token")
            except SourceError as error:
                raise self._refused(secrets.hidden(str(error))) from None
            if not isinstance(token, str) or not token:
                raise self._refused(f"{response.url} answered without access_token")
            secrets.add(token)

        session.hooks["response"] = [check]
        values = {
            "access_token_url": self.access_token_url,
            "client_id": secrets.read(self.client_id_env),
            "client_secret": secrets.read(self.client_secret_env),
            "access_token_request_data": self.access_token_request_data,
            "default_token_expiration": self.default_token_expiration,
            "session": session,
        }
        return OAuth2ClientCredentials.from_init_value(values)

    def _refused(self, why: str) -> SourceError:
        return SourceError(
            f"{why}: correct access_token_url, {self.client_id_env} or {self.client_secret_env}"
        )


def checked_address(url: str) -> str:
    """Return an http address that holds no secret.

    Raises:
        ValueError: it is no such address.
    """
    if not url.startswith(("http://", "https://")):
        raise ValueError("must be an address that begins with https:// or http://")
    return refuse_secrets_in_url(url)


Auth = BearerAuth | ApiKeyAuth | BasicAuth | ClientCredentialsAuth
