"""Alerts to a webhook over real HTTP."""

import socket

import pytest

from pipelines_project.alerts.alert import Alert, Matter
from pipelines_project.alerts.channel import DeliveryError
from pipelines_project.alerts.webhook import Webhook
from pipelines_project_tests.alerts.receivers import hook

_ALERT = Alert(
    "landing/chess/games 2024-02 failed",
    [Matter("landing/chess/games", "it answered <404> & nobody <!channel>", "2024-02")],
    "http://127.0.0.1:3000/runs/1",
)


def test_slack_takes_no_part_of_a_text_for_a_call_to_everybody() -> None:
    with hook() as receiver:
        Webhook(receiver.url).send(_ALERT)

    assert receiver.texts == [
        "*landing/chess/games 2024-02 failed*\n"
        "landing/chess/games 2024-02\n"
        "it answered &lt;404&gt; &amp; nobody &lt;!channel&gt;\n"
        "\n"
        "http://127.0.0.1:3000/runs/1"
    ]


@pytest.mark.parametrize("status", [302, 404, 500])
def test_an_answer_that_takes_nothing_is_an_error(status: int) -> None:
    with hook() as receiver:
        receiver.status = status
        with pytest.raises(DeliveryError, match=f"answered {status}"):
            Webhook(receiver.url).send(_ALERT)


def test_an_error_does_not_say_the_address_which_is_a_secret() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    for url in (f"http://127.0.0.1:{port}/secret-token", "secret-token", "http://[secret-token"):
        with pytest.raises(DeliveryError) as refused:
            Webhook(url).send(_ALERT)

        assert "secret-token" not in f"{refused.value} {Webhook(url)}"
        assert refused.value.__cause__ is None


def test_a_long_alert_is_cut_and_says_so() -> None:
    matters = [Matter(f"table {number}", "x" * 2000) for number in range(25)]
    with hook() as receiver:
        Webhook(receiver.url).send(Alert("many", matters, "link"))

    [text] = receiver.texts
    assert "and 5 more" in text
    assert len(text) < 40_000
    assert text.count("…") == 20
