"""Local JSON lines files as a component: which files, and what becomes of lines that do not fit."""

import re
from collections.abc import Sequence
from functools import cached_property
from typing import Literal

import dagster as dg
from dlt.extract import DltResource
from pydantic import Field, field_validator

from pipelines_project.components import monthly_source
from pipelines_project.components.table_settings import TableAttributes
from pipelines_project.landing.accounting import accounted
from pipelines_project.landing.landed_columns import landed_columns
from pipelines_project.landing.zone import LandingZone
from pipelines_project.orchestration.changed_months_sensor import changed_months_sensor
from pipelines_project.orchestration.checks.landing import landed_files_are_intact, no_stale_files
from pipelines_project.orchestration.checks.lines import (
    every_line_is_accounted_for,
    no_lines_are_quarantined,
)
from pipelines_project.orchestration.checks.of_loader import warehouse_checks
from pipelines_project.sources.fetch import Fetch
from pipelines_project.sources.files.json_lines import json_lines
from pipelines_project.sources.files.raw_files import RawFolder, checked_template
from pipelines_project.sources.files.schema_contract import duckdb_types
from pipelines_project.sources.files.settings import JsonlSettings
from pipelines_project.sources.http.api_calls import ApiCalls
from pipelines_project.table import Extract, Table

# As dlt writes the names of columns.
_COLUMN = re.compile(r"[a-z0-9_]{1,250}")


class LocalJsonlSource(monthly_source.MonthlySource, TableAttributes):
    """One table of JSON lines files that lie in a folder, on a disk or in a bucket."""

    source: str = Field(default="local_jsonl", description="The name of the source.")
    description: str = Field(description="What one row is and where it comes from.")
    files: str = Field(
        description="The path of the files below raw_url, with %Y and %m for the month and "
        "wildcards for the rest: events/%Y-%m/*.jsonl*. What ends with .gz, .zst or .bz2 is "
        "decompressed."
    )
    raw_url: str = Field(description="The folder that holds the raw files: a path or a URL.")
    on_bad_line: Literal["fail", "quarantine"] = Field(
        default="fail",
        description="What a line that is no JSON object does: fail its month, or go to the table "
        "<name>_quarantine of the same load.",
    )
    contract: Literal["evolve", "freeze", "quarantine"] = Field(
        default="evolve",
        description="What a new column or a wider type does: it is taken in (evolve), fails the "
        "month (freeze), or sends its lines to the quarantine table (quarantine).",
    )
    provenance: bool = Field(
        default=False, description="Whether each row says its source_file and source_line."
    )
    settle_seconds: float = Field(
        default=30, ge=0, description="How long a file must have been left alone to be landed."
    )
    watch_seconds: int = Field(
        default=30, ge=1, description="How often the sensor looks for changed files."
    )
    cron: str | None = Field(
        default=None,
        description="When a schedule lands the current month too, in UTC; the sensor lands what "
        "changes without one.",
    )

    @field_validator("files")
    @classmethod
    def _names_month(cls, template: str) -> str:
        return checked_template(template)

    @cached_property
    def _settings(self) -> JsonlSettings:
        return JsonlSettings(
            table=self.name,
            folder=RawFolder(self.raw_url, self.files),
            on_bad_line=self.on_bad_line,
            contract=self.contract,
            provenance=self.provenance,
        )

    def monthly_tables(self) -> Sequence[Table]:
        """Return the one table."""
        return [self.table(self, self._extractor, verify=accounted)]

    def checks(self, table: Table) -> Sequence[dg.AssetChecksDefinition]:
        """Return the table's checks; a folder need not have files of the current month."""
        return [
            no_stale_files(table),
            landed_files_are_intact(table),
            every_line_is_accounted_for(table, self._settings.folder),
            no_lines_are_quarantined(table),
            *warehouse_checks(table),
        ]

    def sensors(self) -> Sequence[dg.SensorDefinition]:
        """Return the sensor that asks for the months whose files changed."""
        return [
            changed_months_sensor(
                table,
                self._settings.folder,
                self.settle_seconds,
                self.watch_seconds,
            )
            for table in self.monthly_tables()
        ]

    def _extractor(self, _calls: ApiCalls, landing: LandingZone) -> Extract:
        def extract(month: str, _: Fetch) -> DltResource:
            def before() -> dict[str, str]:
                return duckdb_types(landed_columns(landing, self.source, self.name, month))

            return json_lines(self._settings, month, before)

        return extract
