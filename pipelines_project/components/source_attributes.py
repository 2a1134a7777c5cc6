"""What the `defs.yaml` of every source can say of it, and the tables that are made with it."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Literal

import dagster as dg
from pydantic import Field, ValidationInfo, field_validator

from pipelines_project.components.document_part import DocumentPart
from pipelines_project.components.publish import check_publishing, glue_database
from pipelines_project.components.table_settings import TableAttributes
from pipelines_project.landing.key_columns import having_key
from pipelines_project.landing.new_load import Verify
from pipelines_project.landing.shrink_guard import refuse_shrink, refuse_shrunk_snapshot
from pipelines_project.landing.zone import LandingZone
from pipelines_project.months import checked_month
from pipelines_project.names import checked_source
from pipelines_project.sources.fetch import Extract
from pipelines_project.sources.http.api_calls import ApiCalls
from pipelines_project.table import Table
from pipelines_project.warehouse.load_month import Loader
from pipelines_project.warehouse.loaders.history import History
from pipelines_project.warehouse.loaders.replace_month import ReplaceMonth
from pipelines_project.warehouse.loaders.replace_table import ReplaceTable

# Dagster's freshness policies begin at one minute.
_LEAST = {"months_per_run": 1, "keep_loads": 0, "fresh_within_hours": 1 / 60}


class SourceAttributes(DocumentPart, dg.Model):
    """The attributes of a source that its tables, jobs and schedules are made with."""

    source: str = Field(
        description="The name of the source: the asset group, the folder of the landing zone and "
        "the schema of the warehouse."
    )
    start_month: str = Field(
        default="2020-01", description="The first month there is, YYYY-MM; 2020-01 by default."
    )
    cron: str | None = Field(
        default="0 6 * * *",
        description="When the schedule lands the current month, in UTC; null for no schedule.",
    )
    months_per_run: int | None = Field(
        default=None,
        description="Split a backfill into runs of so many months; null for one run. A split "
        "source cannot be materialized with --partition-range.",
    )
    allow_shrink: bool = Field(
        default=False, description="Land a month even if most of its rows would go."
    )
    publish: Literal["glue"] | None = Field(
        default=None,
        description="Where the landed tables are published, too: glue keeps a table of AWS Glue "
        "over each, which Athena reads. It needs a landing zone in S3.",
    )
    keep_loads: int = Field(default=0, description="How many superseded loads of a month to keep.")
    fresh_within_hours: float = Field(
        default=36, description="How old the current month may be before it is not fresh."
    )

    owners: list[str] = Field(
        default_factory=list,
        description="Who answers for its tables: e-mail addresses, or team:name; a table that "
        "names owners has those.",
    )

    @field_validator("source")
    @classmethod
    def _is_source(cls, source: str) -> str:
        return checked_source(source)

    @field_validator("start_month")
    @classmethod
    def _is_month(cls, month: str) -> str:
        return checked_month(month)

    @field_validator("publish")
    @classmethod
    def _can_be_published(cls, publish: str | None) -> str | None:
        if publish:
            check_publishing()
        return publish

    # Not `ge=` of the fields: a text in the YAML would then be an error that names no attribute.
    @field_validator(*_LEAST)
    @classmethod
    def _is_enough(cls, value: float | None, info: ValidationInfo) -> float | None:
        least = _LEAST[info.field_name or ""]
        if value is not None and value < least:
            raise ValueError(f"must be at least {least}")
        return value

    def table(
        self,
        settings: TableAttributes,
        extractor: Callable[[ApiCalls, LandingZone], Extract],
        *,
        loader: Loader | None = None,
        verify: Verify | None = None,
        is_snapshot: bool = False,
        columns: Mapping[str, str] | None = None,
    ) -> Table:
        """Return one table with the settings of this source; see `Table` for the arguments.

        Without a loader the settings choose one: a re-run replaces the month's rows, or the whole
        table where it is a snapshot, or every version is kept. A load whose rows lack a column of
        the key is refused, and without a `verify` one that would take away most of the rows;
        `shrink_guard.accept` is for a source that shrinks by nature.
        """
        key = tuple(settings.key)
        return Table(
            source=self.source,
            name=settings.name,
            description=settings.description,
            key=key,
            extractor=extractor,
            loader=loader or _loader(settings, is_snapshot),
            verify=having_key(
                key, verify or (refuse_shrunk_snapshot if is_snapshot else refuse_shrink)
            ),
            start_month=settings.first_month(self.start_month),
            months_per_run=self.months_per_run,
            keep_loads=self.keep_loads,
            allow_shrink=self.allow_shrink,
            fresh_within=timedelta(hours=self.fresh_within_hours),
            subject=settings.subject,
            is_snapshot=is_snapshot,
            timing=settings.timing(self.cron),
            owners=settings.owners or self.owners,
            tags=settings.tags,
            columns=columns or {},
            column_descriptions=settings.column_descriptions,
            column_names=settings.column_names,
            glue_database=glue_database() if self.publish else None,
        )


def _loader(settings: TableAttributes, is_snapshot: bool) -> Loader:
    key = tuple(settings.key)
    if settings.loader == "history":
        return History(key, is_snapshot or settings.whole_months, settings.version_column)
    return ReplaceTable(key) if is_snapshot else ReplaceMonth(key)
