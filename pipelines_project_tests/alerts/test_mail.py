"""Alerts by e-mail through a real SMTP server."""

import socket
from typing import Any

import pytest
from aiosmtpd.smtp import AuthResult, LoginPassword

from pipelines_project.alerts import mail
from pipelines_project.alerts.alert import Alert, Matter
from pipelines_project.alerts.channel import DeliveryError
from pipelines_project.alerts.mail import Mail
from pipelines_project_tests.alerts.receivers import mailbox

_ALERT = Alert("games\nfailed", [Matter("landing/chess/games", "größer", "2024-02")], "link")
_TO = ("data@example.org", "night@example.org")


def _mail(url: str) -> Mail:
    return Mail(url, "dagster@example.org", _TO)


def test_an_email_says_what_the_alert_says_to_all_who_are_named() -> None:
    with mailbox() as receiver:
        _mail(receiver.url).send(_ALERT)

    [message] = receiver.messages
    assert message["Subject"] == "games failed"
    assert message["From"] == "dagster@example.org"
    assert receiver.receivers == [[*_TO]]
    said = message.get_content().splitlines()
    assert said == ["landing/chess/games 2024-02", "größer", "", "link"]


def test_a_user_and_a_password_of_the_url_are_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[LoginPassword] = []

    def authenticator(*arguments: Any) -> AuthResult:
        seen.append(arguments[-1])
        return AuthResult(success=True)

    with mailbox(authenticator=authenticator, auth_require_tls=False) as receiver:
        _mail(receiver.url.replace("://", "://data%40example.org:pass%2Fword@")).send(_ALERT)

    assert seen == [LoginPassword(b"data@example.org", b"pass/word")]
    assert len(receiver.messages) == 1


def test_a_password_is_not_sent_in_the_clear_to_another_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(mail, "_THIS_MACHINE", ())
    refused = pytest.raises(DeliveryError, match="offers no TLS, so no password was sent")
    with mailbox(auth_require_tls=False) as receiver, refused:
        _mail(receiver.url.replace("://", "://user:secret-password@")).send(_ALERT)

    assert receiver.messages == []


def test_a_server_that_refuses_the_message_is_an_error() -> None:
    with mailbox() as receiver:
        receiver.answer = "552 secret-password is full"
        with pytest.raises(DeliveryError, match=r"answered 552$"):
            _mail(receiver.url).send(_ALERT)


def test_an_error_says_neither_the_password_nor_the_server() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    for url in (
        f"smtp://user:secret-password@127.0.0.1:{port}",
        "secret-password",
        "smtp://user:secret-password@host:port",
        "http://user:secret-password@host",
    ):
        with pytest.raises(DeliveryError) as refused:
            _mail(url).send(_ALERT)

        assert "secret-password" not in f"{refused.value} {_mail(url)}"
        assert refused.value.__cause__ is None
