"""The clients of AWS, by the keys and the region that the landing zone has."""

from typing import Any

from pipelines_project.landing.errors import LandingError
from pipelines_project.landing.open_store import s3_options

# Glue limits calls by account and region, which other jobs of the account use too.
_ATTEMPTS = 10


def client(service: str) -> Any:
    """Return boto3's client of a service, which tries again with pauses where AWS throttles it.

    An endpoint that dlt's settings name is the store's: only `s3` is asked there.

    Raises:
        LandingError: boto3 is missing, there is no region, or half of a pair of keys.
    """
    try:
        import boto3
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError
    except ImportError as error:
        raise LandingError(f"{error}: install the project's extra glue") from error
    stated = s3_options()
    retries: Any = {"mode": "standard", "total_max_attempts": _ATTEMPTS}
    endpoint = stated.get("endpoint_url") if service == "s3" else None
    try:
        session = boto3.Session(
            aws_access_key_id=stated.get("key"),
            aws_secret_access_key=stated.get("secret"),
            aws_session_token=stated.get("token"),
            profile_name=stated.get("profile"),
            region_name=stated.get("client_kwargs", {}).get("region_name"),
        )
        return session.client(service, endpoint_url=endpoint, config=Config(retries=retries))
    except BotoCoreError as error:
        raise LandingError(f"{service} of AWS cannot be asked: {error}") from error
