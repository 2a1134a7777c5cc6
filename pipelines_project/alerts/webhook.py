"""Alerts to a webhook that takes what Slack's incoming webhooks take."""

from dataclasses import dataclass, field

import requests

from pipelines_project.alerts.alert import Alert
from pipelines_project.alerts.channel import SECONDS, DeliveryError


@dataclass(frozen=True)
class Webhook:
    """A webhook.

    Attributes:
        url: its address, which is a secret: whoever has it can write to the channel.
    """

    url: str = field(repr=False)

    def send(self, alert: Alert) -> None:
        """Post the alert.

        Raises:
            DeliveryError: the address is none, does not answer, or refuses it.
        """
        text = _escaped(f"*{alert.title}*\n{alert.text}")
        try:
            answer = requests.post(
                self.url, json={"text": text}, timeout=SECONDS, allow_redirects=False
            )
        except requests.RequestException as error:
            # What the error says has the address in it.
            raise DeliveryError(f"the webhook was not reached: {type(error).__name__}") from None
        if not 200 <= answer.status_code < 300:
            raise DeliveryError(f"the webhook answered {answer.status_code} {answer.reason}")


def _escaped(text: str) -> str:
    """Return the text without what Slack takes for a link or for calling everybody."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
