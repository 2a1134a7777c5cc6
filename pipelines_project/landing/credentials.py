"""The keys of an S3 that dlt's settings name; without them they are found as all AWS tools do."""

from typing import Any

import dlt

from pipelines_project.landing.errors import LandingError

_PLACE = "destination.filesystem.credentials"
_OPTIONS = {
    "aws_access_key_id": "key",
    "aws_secret_access_key": "secret",
    "aws_session_token": "token",
    "profile_name": "profile",
    "endpoint_url": "endpoint_url",
}


def store_options(url: str) -> dict[str, Any]:
    """Return what fsspec needs to open a URL besides the environment.

    The keys are those of dlt's filesystem destination, which stand in `.dlt/secrets.toml` or in
    `DESTINATION__FILESYSTEM__CREDENTIALS__…`.

    Raises:
        LandingError: one key of the pair is missing.
    """
    if not url.startswith(("s3://", "s3a://")):
        return {}
    names = [*_OPTIONS, "region_name"]
    stated = {name: dlt.secrets.get(f"{_PLACE}.{name}") for name in names}
    options = {option: stated[name] for name, option in _OPTIONS.items() if stated[name]}
    if ("key" in options) != ("secret" in options):
        raise LandingError(
            f"dlt's settings have one of aws_access_key_id and aws_secret_access_key in {_PLACE}: "
            "give both, or neither, and the AWS_ variables and profiles are taken"
        )
    if region := stated["region_name"]:
        options["client_kwargs"] = {"region_name": region}
    return options
