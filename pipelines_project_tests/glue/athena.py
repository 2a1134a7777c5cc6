"""What Athena would read: the table of Glue, the manifest of a month, the rows of its files."""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import boto3
import duckdb

from pipelines_project.landing.landed_month import LandedMonth
from pipelines_project.landing.shrink_guard import accept
from pipelines_project.table import Table
from pipelines_project.warehouse.loaders.replace_month import ReplaceMonth
from pipelines_project_tests.object_store import Gate


@dataclass(frozen=True)
class Athena:
    """A database of Glue, and the store that its tables are in; nothing asked here is logged."""

    store: Gate
    glue: Any
    database: str

    def table(self, name: str = "demo__events") -> dict[str, Any]:
        """Return a table as Glue has it."""
        return self.glue.get_table(DatabaseName=self.database, Name=name)["Table"]

    def columns(self, name: str = "demo__events") -> dict[str, str]:
        """Return the types of its columns, without those of dlt."""
        found = self.table(name)["StorageDescriptor"]["Columns"]
        return {c["Name"]: c["Type"] for c in found if not c["Name"].startswith("_dlt")}

    def named(self, place: LandedMonth) -> list[str]:
        """Return the paths that the files in the folder of the month's partition name."""
        location = f"{place.dataset}/{place.table}/_symlink_format_manifest/month={place.month}/"
        bucket, _, folder = location.partition("/")
        found = self.store.client.list_objects_v2(Bucket=bucket, Prefix=folder).get("Contents", [])
        assert len(found) <= 1
        texts = [
            self.store.client.get_object(Bucket=bucket, Key=each["Key"])["Body"].read().decode()
            for each in found
        ]
        return [url.removeprefix("s3://") for text in texts for url in text.splitlines()]

    def ids(self, place: LandedMonth) -> list[int]:
        """Return the ids of the rows that the named files have; a file that is gone is an error."""
        with duckdb.connect() as connection:
            connection.register_filesystem(place.fs)  # pyright: ignore[reportArgumentType]
            urls = [f"s3://{path}" for path in self.named(place)]
            query = "select id from read_parquet($urls, union_by_name = true) order by id"
            return [row[0] for row in connection.execute(query, {"urls": urls}).fetchall()]


def athena_of(store: Gate, region: str = "us-east-1") -> Athena:
    """Return a new database."""
    keys = {"aws_access_key_id": "tests", "aws_secret_access_key": "tests"}
    glue = boto3.client("glue", region, endpoint_url=store.store, **keys)
    name = f"landing_{uuid4().hex}"
    glue.create_database(DatabaseInput={"Name": name})
    return Athena(store, glue, name)


def _extracts_nothing(*_: object) -> Any:
    raise AssertionError("these tests land by themselves")


def published_table(athena: Athena, **settings: Any) -> Table:
    """Return the table `demo/events` that is published there."""
    table = Table(
        source="demo",
        name="events",
        description="One row an event.",
        key=("id",),
        extractor=_extracts_nothing,
        loader=ReplaceMonth(("id",)),
        verify=accept,
        start_month="2023-01",
        months_per_run=None,
        keep_loads=0,
        allow_shrink=False,
        fresh_within=timedelta(days=1),
        glue_database=athena.database,
    )
    return replace(table, **settings)
