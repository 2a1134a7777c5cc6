"""The external table of one landed table, as AWS Glue keeps it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from pipelines_project.glue.column_types import is_read_as
from pipelines_project.landing.errors import LandingError
from pipelines_project.names import MONTH_COLUMN
from pipelines_project.table import Table

_ATTEMPTS = 20
_LONGEST_COMMENT, _LONGEST_DESCRIPTION = 255, 2048
_RANGE = f"projection.{MONTH_COLUMN}.range"
# Another run was first.
_MEANWHILE = {"AlreadyExistsException", "ConcurrentModificationException"}
_MISSING = "EntityNotFoundException"


@dataclass
class ExternalTable:
    """The table, which is asked for once, and written where a month needs it to be another.

    Attributes:
        glue: boto3's client.
        table: the landed table.
        location: the URL of the folder of its manifests.
    """

    glue: Any
    table: Table
    location: str
    _known: dict[str, Any] | None = field(default=None, init=False)

    def __str__(self) -> str:
        """Name the table as a query does."""
        return f"{self.table.glue_database}.{glue_name(self.table)}"

    def take(self, month: str, columns: Mapping[str, str], stated: Mapping[str, str]) -> list[str]:
        """Let the table have the month and its columns, and tell which Athena cannot read there.

        A column keeps its type until the settings declare another one: then it has the type of the
        next month that was landed as declared.

        Args:
            month: the month.
            columns: the Glue type of each of its columns.
            stated: the dlt type of each.
        """
        declared = {n for n, kind in self.table.columns.items() if stated.get(n) == kind}
        is_fresh = False
        for _ in range(_ATTEMPTS):
            if self._known is None:
                self._known, is_fresh = self._read(), True
            wanted = self._definition(month, self._merged(columns, declared))
            if self._known and _holds(self._known, wanted):
                return self._unlike(columns)
            if is_fresh:
                self._write(wanted)
            # Others may have changed it since it was read, and it is read again after a write.
            self._known, is_fresh = None, False
        raise LandingError(f"{self} in Glue was changed by others at each of many attempts")

    def unreadable(self, columns: Mapping[str, str]) -> list[str]:
        """Tell which columns Athena cannot read by the table as it is; all if there is no table."""
        self._known = self._known or self._read()
        return self._unlike(columns) if self._known else [f"Glue has no table {self}"]

    def _read(self) -> dict[str, Any] | None:
        from botocore.exceptions import ClientError

        place = {"DatabaseName": self.table.glue_database, "Name": glue_name(self.table)}
        try:
            found = self.glue.get_table(**place)["Table"]
        except ClientError as error:
            if error.response["Error"]["Code"] == _MISSING:
                return None
            raise
        other = found.get("StorageDescriptor", {}).get("Location", "nothing").rstrip("/")
        if other != self.location.rstrip("/"):
            raise LandingError(
                f"{self} in Glue reads {other}, not {self.location}: it was left as it is. Set "
                "GLUE_DATABASE to another database, or delete the table if nobody needs it"
            )
        return found

    def _write(self, wanted: dict[str, Any]) -> None:
        """Write the table, unless another run was first."""
        from botocore.exceptions import ClientError

        database, known = self.table.glue_database, self._known
        try:
            if known is None:
                self.glue.create_table(DatabaseName=database, TableInput=wanted)
                return
            version = {"VersionId": known["VersionId"]} if "VersionId" in known else {}
            self.glue.update_table(
                DatabaseName=database, TableInput=wanted, SkipArchive=True, **version
            )
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code == _MISSING and known is None:
                raise LandingError(
                    f"Glue has no database {database}, and none is made: make it, or set "
                    "GLUE_DATABASE to one that there is"
                ) from error
            if code not in {*_MEANWHILE, _MISSING}:
                raise

    def _merged(self, columns: Mapping[str, str], declared: set[str]) -> dict[str, str]:
        """Return the types of the columns of the table with those of a month."""
        merged = _columns(self._known)
        for name, kind in columns.items():
            is_wider = name in merged and is_read_as(merged[name], kind)
            if name not in merged or is_wider or name in declared:
                merged[name] = kind
        return merged

    def _unlike(self, columns: Mapping[str, str]) -> list[str]:
        there = _columns(self._known)
        return [
            f"{name}: {kind} in the month's files, {there.get(name, 'missing')} in {self}"
            for name, kind in columns.items()
            if not is_read_as(kind, there.get(name, ""))
        ]

    def _definition(self, month: str, columns: Mapping[str, str]) -> dict[str, Any]:
        known = self._known or {}
        first, _, _ = known.get("Parameters", {}).get(_RANGE, "").partition(",")
        said = self.table.column_descriptions
        return {
            "Name": glue_name(self.table),
            "Description": _cut(self.table.description, _LONGEST_DESCRIPTION),
            "TableType": "EXTERNAL_TABLE",
            "PartitionKeys": [{"Name": MONTH_COLUMN, "Type": "string"}],
            "Parameters": {
                **known.get("Parameters", {}),
                "EXTERNAL": "TRUE",
                "classification": "parquet",
                "projection.enabled": "true",
                f"projection.{MONTH_COLUMN}.type": "date",
                f"projection.{MONTH_COLUMN}.format": "yyyy-MM",
                f"projection.{MONTH_COLUMN}.interval": "1",
                f"projection.{MONTH_COLUMN}.interval.unit": "MONTHS",
                _RANGE: f"{min(first or month, self.table.start_month, month)},NOW",
            },
            "StorageDescriptor": {
                "Location": self.location,
                "InputFormat": "org.apache.hadoop.hive.ql.io.SymlinkTextInputFormat",
                "OutputFormat": "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
                "SerdeInfo": {
                    "SerializationLibrary": (
                        "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"
                    )
                },
                "Columns": [_column(n, kind, said.get(n, "")) for n, kind in columns.items()],
            },
        }


def glue_name(table: Table) -> str:
    """Return the table's name in Glue; no source's or table's own name has two underscores."""
    return f"{table.source}__{table.name}"


def _columns(known: Mapping[str, Any] | None) -> dict[str, str]:
    """Return the types of the columns that a table of Glue has."""
    columns: Sequence[Any] = known["StorageDescriptor"]["Columns"] if known else []
    return {column["Name"]: column["Type"] for column in columns}


def _column(name: str, kind: str, description: str) -> dict[str, str]:
    said = _cut(description, _LONGEST_COMMENT)
    return {"Name": name, "Type": kind, **({"Comment": said} if said else {})}


def _cut(text: str, longest: int) -> str:
    """Return a text on one line and not too long, as Glue takes comments."""
    line = " ".join(text.split())
    return line if len(line) <= longest else f"{line[: longest - 1]}…"


def _holds(there: Any, wanted: Any) -> bool:
    """Tell whether what Glue has is what is wanted; it adds members of its own."""
    if isinstance(wanted, dict):
        members = cast(dict[str, Any], wanted)
        return all(key in there and _holds(there[key], each) for key, each in members.items())
    if isinstance(wanted, list):
        each = cast(list[Any], wanted)
        return len(there) == len(each) and all(map(_holds, there, each))
    return bool(there == wanted)
