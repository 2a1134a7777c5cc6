"""Columns that a document declares: dlt's types, in the names that land."""

import pytest

from pipelines_project.sources.typed_rows.declared_columns import declared_columns


def test_columns_are_declared_by_dlts_types() -> None:
    columns = declared_columns({"id": "bigint", "paid": "decimal(12, 2)", "_orders_id": "text"})

    assert columns["id"] == {"name": "id", "data_type": "bigint"}
    assert columns["paid"] == {
        "name": "paid",
        "data_type": "decimal",
        "precision": 12,
        "scale": 2,
    }
    assert [*columns] == ["id", "paid", "_orders_id"]


@pytest.mark.parametrize(
    ("name", "kind", "why"),
    [
        ("Id", "bigint", "'Id' is no column: write it as it lands"),
        ("id", "int", "'int' of id is no type; there are text, double"),
        ("id", "bigint(3)", r"'bigint\(3\)' of id is no type"),
        ("id", "wei", "'wei' of id is no type"),
    ],
)
def test_what_is_no_column_or_type_is_quoted(name: str, kind: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        declared_columns({name: kind})
