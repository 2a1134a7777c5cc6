"""Alerts by e-mail, handed to an SMTP server."""

import smtplib
import ssl
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from urllib.parse import SplitResult, unquote, urlsplit

from pipelines_project.alerts.alert import Alert
from pipelines_project.alerts.channel import SECONDS, DeliveryError

_PORTS = {"smtp": 587, "smtps": 465}
_THIS_MACHINE = ("localhost", "127.0.0.1", "::1")
_FORM = "its URL is no smtp://user:password@host:587 or smtps://user:password@host:465"


@dataclass(frozen=True)
class Mail:
    """A mailbox to write from, and those to write to.

    Attributes:
        url: `smtp://user:password@host:587`, which turns to TLS, or `smtps://…:465`, which begins
            with it; a secret.
        sender: the address that it comes from.
        receivers: the addresses that it goes to.
    """

    url: str = field(repr=False)
    sender: str
    receivers: tuple[str, ...]

    def send(self, alert: Alert) -> None:
        """Hand the alert to the server.

        Raises:
            DeliveryError: the URL is none, or the server does not answer or refuses it.
        """
        message = EmailMessage()
        message["Subject"] = " ".join(alert.title.split())
        message["From"] = self.sender
        message["To"] = ", ".join(self.receivers)
        message.set_content(alert.text)
        try:
            with _session(_parts(self.url)) as server:
                server.send_message(message)
        except smtplib.SMTPResponseException as error:
            raise DeliveryError(f"the SMTP server answered {error.smtp_code}") from None
        except (OSError, smtplib.SMTPException) as error:
            # What it says may quote what was sent.
            raise DeliveryError(f"the SMTP server failed: {type(error).__name__}") from None


def _parts(url: str) -> SplitResult:
    parts = urlsplit(url)
    try:
        if parts.scheme not in _PORTS or not parts.hostname or parts.port == 0:
            raise ValueError
    except ValueError:
        raise DeliveryError(f"the SMTP server is not known: {_FORM}") from None
    return parts


@contextmanager
def _session(parts: SplitResult) -> Generator[smtplib.SMTP]:
    """Give a session with the server, in which the password has crossed no network in the clear."""
    host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
    context = ssl.create_default_context()
    if parts.scheme == "smtps":
        opened = smtplib.SMTP_SSL(host, port, timeout=SECONDS, context=context)
    else:
        opened = smtplib.SMTP(host, port, timeout=SECONDS)
    with opened as server:
        server.ehlo()
        if parts.scheme == "smtp" and host not in _THIS_MACHINE:
            if server.has_extn("starttls"):
                server.starttls(context=context)
            elif parts.password:
                raise DeliveryError("the SMTP server offers no TLS, so no password was sent to it")
        if parts.username and parts.password:
            server.login(unquote(parts.username), unquote(parts.password))
        yield server
