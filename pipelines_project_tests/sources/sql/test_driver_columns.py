"""What the types of other databases are declared as, as SQLAlchemy reflects them."""

from typing import Any

import pytest
from sqlalchemy import types
from sqlalchemy.dialects import mssql, mysql

from pipelines_project.sources.sql.driver_columns import declared


@pytest.mark.parametrize(
    ("sql_type", "hints"),
    [
        (mysql.BIGINT(), {"data_type": "bigint"}),
        (mysql.BIGINT(unsigned=True), {"data_type": "decimal", "precision": 20, "scale": 0}),
        (mysql.INTEGER(unsigned=True), {"data_type": "bigint"}),
        (mysql.TINYINT(1), {"data_type": "bigint"}),
        (mysql.DECIMAL(10, 2), {"data_type": "decimal", "precision": 10, "scale": 2}),
        (mysql.DECIMAL(65, 2), {"data_type": "text"}),
        (mysql.DOUBLE(), {"data_type": "double"}),
        (mysql.FLOAT(), {"data_type": "double"}),
        (mysql.DATETIME(fsp=6), {"data_type": "timestamp", "timezone": False}),
        (mysql.TIMESTAMP(), {"data_type": "timestamp", "timezone": False}),
        (types.DATE(), {"data_type": "date"}),
        # From -838:59:59 to 838:59:59.
        (mysql.TIME(), {"data_type": "text"}),
        (mysql.ENUM("a"), {"data_type": "text"}),
        (mysql.SET("a"), {"data_type": "text"}),
        (mysql.JSON(), {"data_type": "text"}),
        (mysql.LONGTEXT(), {"data_type": "text"}),
        (types.VARBINARY(8), {"data_type": "binary"}),
        (mssql.BIT(), {"data_type": "bool"}),
        (mssql.DATETIME2(), {"data_type": "timestamp", "timezone": False}),
        (mssql.DATETIMEOFFSET(), {"data_type": "timestamp", "timezone": True}),
        (mssql.UNIQUEIDENTIFIER(), {"data_type": "text"}),
        (mssql.VARBINARY("max"), {"data_type": "binary"}),
    ],
)
def test_a_type_is_declared_as_what_holds_each_of_its_values(
    sql_type: types.TypeEngine[Any], hints: dict[str, Any]
) -> None:
    assert declared("c", sql_type) == {"name": "c", **hints}


@pytest.mark.parametrize("sql_type", [types.NullType(), mysql.BIT(8), mssql.SQL_VARIANT()])
def test_a_type_that_says_nothing_of_its_values_is_left_to_them(
    sql_type: types.TypeEngine[Any],
) -> None:
    assert declared("c", sql_type) is None
