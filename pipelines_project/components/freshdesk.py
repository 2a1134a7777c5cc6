"""The Freshdesk source as a component: its settings, its six tables and their checks."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import ClassVar, Literal

import dagster as dg
from pydantic import Field

from pipelines_project.components.concurrent_source import ConcurrentSource
from pipelines_project.components.table_settings import TableSettings
from pipelines_project.landing.shrink_guard import accept
from pipelines_project.landing.zone import LandingZone
from pipelines_project.orchestration.checks.landing import (
    current_month_is_fresh,
    landed_files_are_intact,
    no_stale_files,
)
from pipelines_project.orchestration.checks.merged import (
    have_unique_ids,
    references_are_known,
    updates_are_in_their_month,
    warehouse_has_landed_rows,
)
from pipelines_project.orchestration.checks.monthly_check import MonthlyCheck
from pipelines_project.sources.freshdesk import lists as freshdesk
from pipelines_project.sources.freshdesk.api import MOST_PAGES, FreshdeskApi, checked_address
from pipelines_project.sources.freshdesk.column_descriptions import COLUMN_DESCRIPTIONS
from pipelines_project.sources.freshdesk.columns import TABLES, documented_types
from pipelines_project.sources.freshdesk.since_last import MonthsOfTable
from pipelines_project.sources.http.api_calls import ApiCalls, SourceError
from pipelines_project.sources.http.rate_limit import RateLimit
from pipelines_project.table import Extract, Table
from pipelines_project.warehouse.loaders.merge_month import MergeMonth

_ROW = {
    "tickets": "ticket, with its stats and requester; deleted ones and spam are marked",
    "contacts": "contact; deleted and blocked ones are marked",
    "companies": "company",
    "agents": "agent",
    "groups": "group of agents",
    "roles": "role that agents can have",
}
_SUBJECTS = {"tickets": "requester_id", "contacts": "id"}
# An agent can ask for help too, and then is the requester.
_TICKET_REFERENCES = {
    "requester_id": ("contacts", "agents"),
    "responder_id": ("agents",),
    "group_id": ("groups",),
}


class FreshdeskSource(ConcurrentSource):
    """A help desk's tickets and whom they concern, by the month in which each last changed.

    The key is read from `FRESHDESK_API_KEY` when a run asks the API, and is kept nowhere.
    """

    subject_name: ClassVar[str] = "requester_id"
    subject_type: ClassVar[type] = int

    source: str = Field(default="freshdesk", description="The name of the source.")
    domain: str = Field(description="The help desk: acme, or acme.freshdesk.com.")
    api_url: str = Field(
        default="", description="An address that takes the place of the domain's, for a sandbox."
    )
    page_cap: int = Field(
        default=freshdesk.PAGE_CAP,
        ge=1,
        description="The last page of tickets that Freshdesk gives; more of one instant is an "
        "error.",
    )
    most_pages: int = Field(
        default=MOST_PAGES,
        ge=1,
        description="The most pages of one list; more is an error, because a list that never ends "
        "would otherwise be fetched for ever.",
    )
    refetch: Literal["all", "since_last"] = Field(
        default="since_last",
        description="What a run fetches of the current month when it is landed already: what has "
        "changed since (tickets and contacts; since_last), or all of it. Closed months are always "
        "fetched whole.",
    )
    rate_limit_reserve: int = Field(
        default=50,
        ge=0,
        description="The API credits that stay free for the company's own use; never more than "
        "half of the plan's.",
    )
    rate_limit_wait_seconds: float = Field(
        default=3600,
        ge=0,
        description="How long one request may wait in all when Freshdesk answers 429.",
    )

    def monthly_tables(self) -> Sequence[Table]:
        """Return the six tables, each row of which is the newest version of its `id`."""
        tables = [
            self.table(
                TableSettings(
                    name=name,
                    description=f"One row is one {_ROW[name]}. A month has what last changed in "
                    "it.",
                    key=["id"],
                    subject=_SUBJECTS.get(name),
                    column_descriptions=COLUMN_DESCRIPTIONS,
                ),
                self._extractor(name),
                verify=accept,
                columns=documented_types(name),
                loader=MergeMonth("id", freshdesk.MARKS.get(name, ())),
            )
            for name in TABLES
        ]
        # The other lists are fetched once in a run, and then read month by month.
        return [t if t.name == "tickets" else replace(t, months_at_once=1) for t in tables]

    def checks(self, table: Table) -> Sequence[MonthlyCheck]:
        """Return the checks of a table whose months are merged."""
        checks = [
            no_stale_files(table),
            landed_files_are_intact(table),
            current_month_is_fresh(table),
            have_unique_ids(table),
            updates_are_in_their_month(table),
            warehouse_has_landed_rows(table),
        ]
        if table.name == "tickets":
            checks.append(references_are_known(table, _TICKET_REFERENCES))
        return checks

    def _extractor(self, table: str) -> Callable[[ApiCalls, LandingZone], Extract]:
        def extractor(calls: ApiCalls, _landing: LandingZone) -> Extract:
            api = self._api(calls, freshdesk.CREDITS.get(table, 1))
            changed = freshdesk.changed_rows(table, api, self.page_cap)
            return MonthsOfTable(table, api, calls, changed, self.refetch == "since_last")

        return extractor

    def _api(self, calls: ApiCalls, request_credits: int) -> FreshdeskApi:
        """Return the API, or fail the run for a setting that is missing or wrong.

        Not when the code location loads: other sources must work without Freshdesk's settings.
        """
        limit = RateLimit(
            self.rate_limit_reserve, self.rate_limit_wait_seconds, credits=request_credits
        )
        key = dg.EnvVar("FRESHDESK_API_KEY").get_value("") or ""
        try:
            address = checked_address(self.domain, self.api_url)
            return FreshdeskApi(address, key, calls, limit, self.most_pages)
        except ValueError as error:
            raise SourceError(str(error)) from error
