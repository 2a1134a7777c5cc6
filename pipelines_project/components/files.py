"""Tables of files as components: many in a document, or one table of JSON lines."""

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Literal

import dagster as dg
from dlt.extract import DltResource
from pydantic import Field, field_validator

from pipelines_project.components import monthly_source
from pipelines_project.components.file_tables import FileTable
from pipelines_project.components.scaffold.files import FilesScaffolder
from pipelines_project.components.table_settings import TableAttributes
from pipelines_project.landing.accounting import accounted, accounted_snapshot
from pipelines_project.landing.ask_source import Asker
from pipelines_project.landing.landed_columns import landed_columns
from pipelines_project.landing.zone import LandingZone
from pipelines_project.orchestration.changed_months_sensor import changed_months_sensor
from pipelines_project.orchestration.checks.landing import landed_files_are_intact, no_stale_files
from pipelines_project.orchestration.checks.lines import (
    every_line_is_accounted_for,
    no_lines_are_quarantined,
)
from pipelines_project.orchestration.checks.monthly_check import MonthlyCheck
from pipelines_project.orchestration.checks.of_loader import warehouse_checks
from pipelines_project.sources.fetch import Fetch
from pipelines_project.sources.files.file_format import checked_jsonl_template
from pipelines_project.sources.files.file_table import resource_of
from pipelines_project.sources.files.raw_files import fingerprint
from pipelines_project.sources.http.api_calls import ApiCalls
from pipelines_project.table import Extract, Table


class FileSource(monthly_source.MonthlySource):
    """A source whose tables are in files below one folder, on a disk or in a bucket."""

    raw_url: str = Field(description="The folder that holds the raw files: a path or a URL.")
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

    @abstractmethod
    def file_tables(self) -> Sequence[FileTable]:
        """Return what each table is made from."""

    def monthly_tables(self) -> Sequence[Table]:
        """Return the tables."""
        return [
            self.table(
                each,
                self._extractor_of(each),
                is_snapshot=each.is_snapshot,
                verify=accounted_snapshot if each.is_snapshot else accounted,
            )
            for each in self.file_tables()
        ]

    def checks(self, table: Table) -> Sequence[MonthlyCheck]:
        """Return the table's checks; a folder need not have files of the current month."""
        [settings] = [t.settings(self.raw_url) for t in self.file_tables() if t.name == table.name]
        return [
            no_stale_files(table),
            landed_files_are_intact(table),
            every_line_is_accounted_for(table, settings),
            no_lines_are_quarantined(table),
            *warehouse_checks(table),
        ]

    def sensors(self) -> Sequence[dg.SensorDefinition]:
        """Return the sensors that ask for the months whose files changed, one a table."""
        return [
            changed_months_sensor(
                table, each.settings(self.raw_url), self.settle_seconds, self.watch_seconds
            )
            for table, each in zip(self.monthly_tables(), self.file_tables(), strict=True)
        ]

    def asker(self, table: Table, calls: ApiCalls, landing: LandingZone) -> Asker:
        """Return what compares the files of a landed month with those that it was made from."""
        [settings] = [t.settings(self.raw_url) for t in self.file_tables() if t.name == table.name]

        def has_changed(month: str, facts: Mapping[str, str]) -> bool | None:
            known = facts.get("fingerprint")
            return fingerprint(settings.folder.files(month)) != known if known else None

        return has_changed

    def _extractor_of(self, table: FileTable) -> Callable[[ApiCalls, LandingZone], Extract]:
        settings = table.settings(self.raw_url)

        def extractor(_calls: ApiCalls, landing: LandingZone) -> Extract:
            def extract(month: str, fetch: Fetch) -> DltResource:
                def before() -> dict[str, str]:
                    return landed_columns(landing, self.source, table.name, month)

                return resource_of(settings, month, before, fetch)

            return extract

        return extractor


@dg.scaffold_with(FilesScaffolder)
class Files(FileSource):
    """Tables of csv, tsv, parquet, Excel or JSON lines files."""

    tables: list[FileTable] = Field(description="The tables, each with its files.")

    @field_validator("tables")
    @classmethod
    def _have_different_names(cls, tables: list[FileTable]) -> list[FileTable]:
        names = [table.name for table in tables]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"two tables have the name {', '.join(twice)}: name each differently")
        if not tables:
            raise ValueError("there is no table: list at least one")
        return tables

    def file_tables(self) -> Sequence[FileTable]:
        """Return the tables."""
        return self.tables


class LocalJsonlSource(FileSource, TableAttributes):
    """One table of JSON lines files that lie in a folder, on a disk or in a bucket."""

    source: str = Field(default="local_jsonl", description="The name of the source.")
    description: str = Field(description="What one row is and where it comes from.")
    files: str = Field(
        description="The path of the files below raw_url, with %Y and %m for the month and "
        "wildcards for the rest: events/%Y-%m/*.jsonl*. What ends with .gz, .zst or .bz2 is "
        "decompressed."
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

    @field_validator("files")
    @classmethod
    def _names_month(cls, template: str) -> str:
        return checked_jsonl_template(template)

    def file_tables(self) -> Sequence[FileTable]:
        """Return the one table."""
        own = {
            name: getattr(self, name)
            for name in FileTable.model_fields
            if name in type(self).model_fields
        }
        return [FileTable(**own, format="jsonl", on_bad_row=self.on_bad_line)]
