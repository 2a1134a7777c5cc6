"""Opening the filesystem that a URL names; an S3 by the keys of AWS's settings, or of dlt's."""

from typing import Any

import dlt
import fsspec

from pipelines_project.landing.errors import LandingError
from pipelines_project.landing.storage import FileSystem

_PLACE = "destination.filesystem.credentials"
_OPTIONS = {
    "aws_access_key_id": "key",
    "aws_secret_access_key": "secret",
    "aws_session_token": "token",
    "profile_name": "profile",
    "endpoint_url": "endpoint_url",
}
# botocore waits and tries again by itself. s3fs tries that again, 5 times by its own, and 25 times
# to read a record.
_S3FS_TRIES = 2


def open_store(url: str, setting: str = "LANDING_URL") -> tuple[FileSystem, str]:
    """Return the filesystem of a URL, and the path in it.

    Args:
        url: the URL, or a path.
        setting: the environment variable that has it, which an error names.

    Raises:
        LandingError: no filesystem has such URLs, its package is missing, or half of a pair of keys
            is.
    """
    is_s3 = url.startswith(("s3://", "s3a://"))
    try:
        # Other processes write too, so what was listed before is not believed.
        options = s3_options() if is_s3 else {}
        found: Any = fsspec.url_to_fs(url, use_listings_cache=False, **options)
    except (ValueError, ImportError) as error:
        extra = ", which the project's extra s3 does" if isinstance(error, ImportError) else ""
        raise LandingError(f"{setting} is {url[:80]!r}: {error}{extra if is_s3 else ''}") from error
    fs, path = found
    if is_s3:
        fs.retries = _S3FS_TRIES
    return fs, str(path).rstrip("/")


def s3_options() -> dict[str, Any]:
    """Return what s3fs takes from the settings of dlt's filesystem destination.

    They stand in `.dlt/secrets.toml` or in `DESTINATION__FILESYSTEM__CREDENTIALS__…`. What they do
    not name, s3fs finds as all tools of AWS do.

    Raises:
        LandingError: one key of the pair is missing.
    """
    names = [*_OPTIONS, "region_name"]
    stated = {name: dlt.secrets.get(f"{_PLACE}.{name}", str) for name in names}
    options: dict[str, Any] = {
        option: stated[name] for name, option in _OPTIONS.items() if stated[name]
    }
    if ("key" in options) != ("secret" in options):
        raise LandingError(
            f"dlt's settings have one of aws_access_key_id and aws_secret_access_key in {_PLACE}: "
            "give both, or neither, and the AWS_ variables and profiles are taken"
        )
    if region := stated["region_name"]:
        options["client_kwargs"] = {"region_name": region}
    return options
