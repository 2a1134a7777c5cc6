"""Databases in tests: months landed from them, what is landed then, and why one was refused."""

from typing import Any

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines_project.landing.causes import root_cause
from pipelines_project.landing.land_month import land_month
from pipelines_project.landing.landed_month import LandedMonth
from pipelines_project.landing.shrink_guard import accept
from pipelines_project.landing.zone import LandingZone
from pipelines_project.sources.http.api_calls import SourceError
from pipelines_project.sources.sql.month import sql_month
from pipelines_project.sources.sql.settings import SqlSettings

VARIABLE = "SHOP_URL"
MONTH = "2024-02"
_OWN = ("_dlt_load_id", "_dlt_id")


class PostgresShop:
    """The schema `shop` of a PostgreSQL."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection

    def execute(self, sql: str) -> psycopg.Cursor:
        return self._connection.execute(sql.encode())


def land(zone: LandingZone, month: str = MONTH, **settings: Any) -> LandedMonth:
    """Land a month of the table `orders` from the database that the variable names."""
    of_table = SqlSettings(**{"name": "orders", "connection": VARIABLE, **settings})
    place = zone.month("shop", of_table.name, month)
    land_month(place, lambda month, _: sql_month(of_table, month), accept)
    return place


def landed(zone: LandingZone, month: str = MONTH, **settings: Any) -> pa.Table:
    """Land a month, and return the columns of the database that its files hold then."""
    place = land(zone, month, **settings)
    table = pa.concat_tables([file.read() for file in current_files(place)])
    return table.drop_columns([name for name in table.column_names if name in _OWN])


def current_files(place: LandedMonth) -> list[pq.ParquetFile]:
    """Return the files of the month's current load."""
    load = place.current_files()
    assert load is not None
    return [pq.ParquetFile(path) for path in load.files]


def refusal(zone: LandingZone, month: str = MONTH, **settings: Any) -> SourceError:
    """Fail to land a month, and return why."""
    with pytest.raises(Exception) as caught:  # noqa: PT011
        land(zone, month, **settings)
    cause = root_cause(caught.value)
    assert isinstance(cause, SourceError)
    return cause
