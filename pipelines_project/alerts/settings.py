"""How a document names the e-mails that alerts are sent by."""

import re

from pydantic import Field, field_validator

from pipelines_project.sources.secrets import checked_variable
from pipelines_project.sources.settings_model import SettingsModel

_ADDRESS = re.compile(r"[^@\s,<>]+@[^@\s,<>]+")


class MailSettings(SettingsModel):
    """From whom, to whom, and by which server."""

    to: list[str] = Field(description="The addresses that alerts go to.")
    sender: str = Field(alias="from", description="The address that they come from.")
    smtp: str = Field(
        description="The environment variable that holds the URL of the SMTP server: "
        "smtp://user:password@host:587, or smtps://user:password@host:465."
    )

    @field_validator("to", "sender")
    @classmethod
    def _are_addresses(cls, given: list[str] | str) -> list[str] | str:
        addresses = [given] if isinstance(given, str) else given
        if not addresses or not all(map(_ADDRESS.fullmatch, addresses)):
            raise ValueError("give an e-mail address, such as data@example.org")
        return given

    @field_validator("smtp")
    @classmethod
    def _is_variable(cls, name: str) -> str:
        return checked_variable(name)
