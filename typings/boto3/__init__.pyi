from typing import Any

from botocore.config import Config

def client(service_name: str, region_name: str | None = None, **settings: Any) -> Any: ...

class Session:
    def __init__(
        self,
        *,
        aws_access_key_id: str | None,
        aws_secret_access_key: str | None,
        aws_session_token: str | None,
        profile_name: str | None,
        region_name: str | None,
    ) -> None: ...
    def client(self, service_name: str, *, endpoint_url: str | None, config: Config) -> Any: ...
