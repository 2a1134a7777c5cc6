"""The names and types that columns have in PostgreSQL."""

import pytest

from pipelines_project.warehouse.postgres import (
    NoSuchTypeError,
    postgres_type,
    stored_name,
    stored_type,
)


@pytest.mark.parametrize("name", ["id", "a" * 63, "é" * 31, "Ctid", "select"])
def test_a_name_that_postgresql_takes_stays(name: str) -> None:
    assert stored_name(name) == name


def test_long_names_are_cut_at_a_character_and_stay_apart() -> None:
    one, other = stored_name("é" * 40 + "_one"), stored_name("é" * 40 + "_other")

    assert one != other
    assert one.startswith("é" * 27 + "_")
    assert len(one.encode()) == 63


@pytest.mark.parametrize("name", ["ctid", "xmin", "tableoid"])
def test_a_name_of_a_system_column_is_that_of_the_source(name: str) -> None:
    assert stored_name(name) == f"source_{name}"


@pytest.mark.parametrize(
    ("sql_type", "stored", "postgres"),
    [
        ("DOUBLE", "DOUBLE", "double precision"),
        ("FLOAT", "FLOAT", "real"),
        ("UBIGINT", "DECIMAL(20,0)", "DECIMAL(20,0)"),
        ("HUGEINT", "DECIMAL(38,0)", "DECIMAL(38,0)"),
        ("DECIMAL(12,3)", "DECIMAL(12,3)", "DECIMAL(12,3)"),
        ("UINTEGER[]", "BIGINT[]", "bigint[]"),
    ],
)
def test_a_type_is_one_that_holds_the_same_values(
    sql_type: str, stored: str, postgres: str
) -> None:
    assert (stored_type(sql_type), postgres_type(stored)) == (stored, postgres)


@pytest.mark.parametrize(
    "sql_type", ["TIMESTAMP_NS", "STRUCT(a INTEGER)", "BIGINT[][]", "UHUGEINT"]
)
def test_a_type_whose_values_would_change_is_refused(sql_type: str) -> None:
    with pytest.raises(NoSuchTypeError):
        stored_type(sql_type)
