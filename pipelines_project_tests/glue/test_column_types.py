"""Arrow types as Glue has them, and the columns that Athena cannot read."""

import pytest

from pipelines_project.glue.column_types import glue_type, is_read_as, readable_columns


@pytest.mark.parametrize(
    ("arrow_type", "expected"),
    [
        ("int32", "int"),
        ("int64", "bigint"),
        ("double", "double"),
        ("bool", "boolean"),
        ("large_string", "string"),
        ("date32[day]", "date"),
        ("timestamp[us, tz=UTC]", "timestamp"),
        ("timestamp[ns]", "timestamp"),
        ("decimal128(38, 9)", "decimal(38,9)"),
        ("decimal256(76, 0)", None),
        ("uint64", None),
        ("time64[us]", None),
        ("list<item: int64>", None),
        ("int64 or double", None),
    ],
)
def test_a_type_has_the_name_that_glue_gives_it(arrow_type: str, expected: str | None) -> None:
    assert glue_type(arrow_type) == expected


def test_a_column_that_athena_cannot_read_is_left_out_and_told() -> None:
    types = {"id": "int64", "at": "time64[us]", "month": "string", "Größe": "double"}

    columns, left_out = readable_columns(types)

    assert columns == {"id": "bigint"}
    assert left_out == [
        "at: Athena has no type for time64[us]",
        "month: the partition has this name",
        "Größe: Glue takes names of a-z, 0-9 and _ only",
    ]


def test_only_what_aws_documents_is_read_by_another_type() -> None:
    assert is_read_as("int", "bigint")
    assert is_read_as("float", "double")
    assert not is_read_as("bigint", "int")
    assert not is_read_as("bigint", "double")
    assert not is_read_as("bigint", "string")
