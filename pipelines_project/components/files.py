"""Local JSON lines files as a component: which files, and what becomes of lines that do not fit."""

import re
from collections.abc import Sequence
from functools import cached_property
from typing import ClassVar, Literal

import dagster as dg
from dlt.extract import DltResource
from pydantic import Field, field_validator

from pipelines_project.components import monthly_source
from pipelines_project.landing.accounting import accounted
from pipelines_project.landing.landed_columns import landed_columns
from pipelines_project.landing.zone import LandingZone
from pipelines_project.orchestration.changed_months_sensor import changed_months_sensor
from pipelines_project.orchestration.checks.landing import landed_files_are_intact, no_stale_files
from pipelines_project.orchestration.checks.lines import (
    every_line_is_accounted_for,
    no_lines_are_quarantined,
)
from pipelines_project.orchestration.checks.warehouse import (
    have_unique_keys,
    warehouse_rows_match_landing,
)
from pipelines_project.orchestration.table_assets import landing_key, warehouse_key
from pipelines_project.sources.fetch import Fetch
from pipelines_project.sources.files.json_lines import json_lines
from pipelines_project.sources.files.raw_files import RawFolder, checked_template
from pipelines_project.sources.files.schema_contract import duckdb_types
from pipelines_project.sources.files.settings import JsonlSettings
from pipelines_project.sources.http.api_calls import ApiCalls
from pipelines_project.table import Extract, Table, checked_table

# As dlt writes the names of columns.
_COLUMN = re.compile(r"[a-z0-9_]{1,250}")


class LocalJsonlSource(monthly_source.MonthlySource):
    """One table of JSON lines files that lie in a folder, on a disk or in a bucket."""

    source: ClassVar[str] = "local_jsonl"

    name: str = Field(description="The name of the table.")
    description: str = Field(description="What one row is and where it comes from.")
    files: str = Field(
        description="The path of the files below raw_url, with %Y and %m for the month and "
        "wildcards for the rest: events/%Y-%m/*.jsonl*. What ends with .gz, .zst or .bz2 is "
        "decompressed."
    )
    raw_url: str = Field(description="The folder that holds the raw files: a path or a URL.")
    key: list[str] = Field(
        default_factory=list,
        description="The columns that tell one row of a month from another, if there are any.",
    )
    subject: str | None = Field(
        default=None,
        description="The column that tells whom a row is about; local_jsonl_forget goes by it.",
    )
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

    @field_validator("name")
    @classmethod
    def _is_name(cls, name: str) -> str:
        return checked_table(name)

    @field_validator("key")
    @classmethod
    def _are_columns(cls, key: list[str]) -> list[str]:
        for name in key:
            if not _COLUMN.fullmatch(name):
                raise ValueError(f"{name[:80]!r} in key is no column: use a-z, 0-9 and _")
        return key

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

    def tables(self) -> Sequence[Table]:
        """Return the one table."""
        return [
            self.table(
                name=self.name,
                description=self.description,
                key=tuple(self.key),
                extractor=self._extractor,
                verify=accounted,
                subject=self.subject,
            )
        ]

    def instances(self, context: dg.ComponentLoadContext) -> Sequence[monthly_source.MonthlySource]:
        """Return every component of this type: each is one table of the source."""
        return context.component_tree.get_all_components(of_type=LocalJsonlSource)

    @property
    def materialize_job_name(self) -> str:
        """The name of the table's job; the other tables of the source have jobs of their own."""
        return f"{self.source}_{self.name}_materialize"

    def materialized(self) -> dg.AssetSelection:
        """Return the two assets of the table."""
        return dg.AssetSelection.assets(
            *[key for table in self.tables() for key in (landing_key(table), warehouse_key(table))]
        )

    def checks(self, table: Table) -> Sequence[dg.AssetChecksDefinition]:
        """Return the table's checks; a folder need not have files of the current month."""
        return [
            no_stale_files(table),
            landed_files_are_intact(table),
            every_line_is_accounted_for(table, self._settings.folder),
            no_lines_are_quarantined(table),
            *([have_unique_keys(table)] if table.key else []),
            warehouse_rows_match_landing(table),
        ]

    def sensors(self) -> Sequence[dg.SensorDefinition]:
        """Return the sensor that asks for the months whose files changed."""
        return [
            changed_months_sensor(
                table,
                self._settings.folder,
                self.materialize_job_name,
                self.settle_seconds,
                self.watch_seconds,
            )
            for table in self.tables()
        ]

    def _extractor(self, _calls: ApiCalls, landing: LandingZone) -> Extract:
        def extract(month: str, _: Fetch) -> DltResource:
            def before() -> dict[str, str]:
                return duckdb_types(landed_columns(landing, self.source, self.name, month))

            return json_lines(self._settings, month, before)

        return extract
