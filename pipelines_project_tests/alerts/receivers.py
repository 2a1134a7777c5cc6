"""Those who receive alerts: a webhook over real HTTP, and a real SMTP server."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, cast

from aiosmtpd.controller import Controller
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from pipelines_project.sandbox.server import serving


@dataclass
class Hook:
    """A webhook: its address, what was posted to it, and what it answers."""

    url: str = ""
    texts: list[str] = field(default_factory=list[str])
    status: int = 200

    async def answer(self, request: Request) -> Response:
        if self.status == 200:
            body = await request.json()
            assert [*body] == ["text"]
            self.texts.append(body["text"])
        return PlainTextResponse("", status_code=self.status, headers={"Location": "/elsewhere"})


@contextmanager
def hook() -> Iterator[Hook]:
    """Serve a webhook whose address has a secret in it."""
    made = Hook()
    with serving(Starlette(routes=[Route("/secret-token", made.answer, methods=["POST"])])) as url:
        made.url = f"{url}/secret-token"
        yield made


@dataclass
class Mailbox:
    """An SMTP server: its URL, what it has taken, and what it answers to messages."""

    url: str = ""
    messages: list[EmailMessage] = field(default_factory=list[EmailMessage])
    receivers: list[list[str]] = field(default_factory=list[list[str]])
    answer: str = "250 OK"

    async def handle_DATA(  # noqa: N802 (the name that aiosmtpd calls)
        self, _server: Any, _session: Any, envelope: Any
    ) -> str:
        if self.answer.startswith("250"):
            message = message_from_bytes(envelope.content, policy=policy.default)
            self.messages.append(cast(EmailMessage, message))
            self.receivers.append(envelope.rcpt_tos)
        return self.answer


@contextmanager
def mailbox(**settings: Any) -> Iterator[Mailbox]:
    """Run an SMTP server on this machine; the settings are aiosmtpd's."""
    made = Mailbox()
    # It asks itself at the port that it was given, which must therefore not be 0.
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    controller = Controller(made, hostname="127.0.0.1", port=port, **settings)
    controller.start()
    try:
        made.url = f"smtp://127.0.0.1:{port}"
        yield made
    finally:
        controller.stop()
