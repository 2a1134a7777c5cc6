"""The component that tells people by webhook or e-mail of what fails and what is stale."""

import os
from collections.abc import Callable
from typing import Annotated

import dagster as dg
from pydantic import ConfigDict, Field, field_validator

from pipelines_project.alerts.channel import Channel
from pipelines_project.alerts.mail import Mail
from pipelines_project.alerts.settings import MailSettings
from pipelines_project.alerts.webhook import Webhook
from pipelines_project.components.document_part import DocumentPart, engine_settings
from pipelines_project.components.monthly_source import MonthlySource
from pipelines_project.orchestration.alert_sensor import Watch, alert_sensor
from pipelines_project.sources.secrets import checked_variable


class Alerts(DocumentPart, dg.Component, dg.Model):
    """Alerts about runs and checks that fail and tables that are stale, of all sources."""

    # A secret that stands here by mistake must not be shown.
    model_config = ConfigDict(hide_input_in_errors=True)

    webhook: str | None = Field(
        default=None,
        description="The environment variable that holds the address of a webhook that takes what "
        "Slack's incoming webhooks take.",
    )
    email: Annotated[MailSettings | None, engine_settings(MailSettings)] = Field(
        default=None,
        description="The e-mails: {to: [data@example.org], from: dagster@example.org, smtp: NAME}, "
        "with the environment variable that holds the SMTP server's URL.",
    )
    stale_after_days: float | None = Field(
        default=2,
        description="After how many days without a landing of its current month a table with a "
        "schedule is told to be stale; null for never.",
    )
    base_url: str = Field(
        default="http://127.0.0.1:3000",
        description="The address of the Dagster UI, for the links in alerts.",
    )

    @field_validator("webhook")
    @classmethod
    def _is_variable(cls, name: str | None) -> str | None:
        return name and checked_variable(name)

    @field_validator("stale_after_days")
    @classmethod
    def _are_days(cls, days: float | None) -> float | None:
        if days is not None and days <= 0:
            raise ValueError("must be more than 0, or null for never")
        return days

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """Return a sensor for each channel that is named; it is on if its variable is set."""
        sources = context.component_tree.get_all_components(of_type=MonthlySource)
        tables = [table for source in sources for table in source.monthly_tables()]
        watch = Watch(tables, self.stale_after_days, self.base_url.rstrip("/"))
        made: list[dg.SensorDefinition] = []
        if self.webhook:
            channel = _channel(self.webhook, Webhook)
            made.append(alert_sensor("webhook", watch, channel, is_on=_is_set(self.webhook)))
        if email := self.email:
            channel = _channel(email.smtp, lambda url: Mail(url, email.sender, tuple(email.to)))
            made.append(alert_sensor("email", watch, channel, is_on=_is_set(email.smtp)))
        return dg.Definitions(sensors=made)


def _is_set(name: str) -> bool:
    return bool(os.environ.get(name, "").strip())


def _channel(name: str, made: Callable[[str], Channel]) -> Callable[[], Channel | str]:
    """Return what makes a channel of the address that a variable holds when it is asked."""

    def channel() -> Channel | str:
        address = os.environ.get(name, "").strip()
        return made(address) if address else f"{name} is not set, so nobody is told"

    return channel
