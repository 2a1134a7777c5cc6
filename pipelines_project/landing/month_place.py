"""Where one month of one table lives: its names, and the paths of its files and records."""

from dataclasses import dataclass

from dlt.common.schema.exceptions import InvalidSchemaName

from pipelines_project.landing.storage import FileSystem
from pipelines_project.months import checked_month
from pipelines_project.names import checked_name, quarantine_table


@dataclass(frozen=True)
class MonthPlace:
    """The place of one month: `dataset` is the path of its source's folder."""

    fs: FileSystem
    dataset: str
    source: str
    table: str
    month: str

    def __post_init__(self) -> None:
        """Refuse names that would lead out of the folder or into another month's."""
        checked_name(self.source)
        checked_name(self.table)
        checked_month(self.month)
        if (excess := len(self.pipeline_name) - InvalidSchemaName.MAXIMUM_SCHEMA_NAME_LENGTH) > 0:
            raise ValueError(
                f"the names of {self.source}/{self.table} are together {excess} characters too long"
            )

    def __str__(self) -> str:
        """Name the month as errors do."""
        return f"{self.source}/{self.table} {self.month}"

    @property
    def pipeline_name(self) -> str:
        """The name of the month's dlt pipeline, which no other month has."""
        return f"{self.source}_{self.table}_{self.month.replace('-', '_')}"

    @property
    def path(self) -> str:
        """The folder of the month's parquet files and records."""
        return self.folder_of(self.table)

    @property
    def uri(self) -> str:
        """The same as a URI, by which other programs find it."""
        return self.fs.unstrip_protocol(self.path)

    @property
    def quarantine_path(self) -> str:
        """The folder of the rows that the month's loads refused; most tables have none."""
        return self.folder_of(quarantine_table(self.table))

    def folder_of(self, table: str) -> str:
        """Return the folder of the month's files of a dlt table, its own or its quarantine."""
        return f"{self.dataset}/{table}/month={self.month}"

    def table_of(self, path: str) -> str:
        """Return the dlt table that a data file of the month belongs to."""
        is_quarantined = path.startswith(f"{self.quarantine_path}/")
        return quarantine_table(self.table) if is_quarantined else self.table

    def record_path(self, load_id: str) -> str:
        """Return the path of a load's record; readers of parquet skip names that begin with `_`."""
        return f"{self.path}/_{load_id}.json"
