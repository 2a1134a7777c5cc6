"""What every way of telling people has in common."""

from typing import Protocol

from pipelines_project.alerts.alert import Alert

SECONDS = 5.0
"""How long a server may take for each of its answers; a tick of a sensor has a minute in all."""


class DeliveryError(Exception):
    """An alert could not be handed over; the text holds no address and no secret."""


class Channel(Protocol):
    """A way of telling people."""

    def send(self, alert: Alert) -> None:
        """Hand the alert over to the server that tells people.

        Raises:
            DeliveryError: it was not taken.
        """
        ...
