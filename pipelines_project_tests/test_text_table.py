"""Columns are aligned."""

from pipelines_project.text_table import text_table


def test_numbers_stand_to_the_right_and_what_is_missing_is_a_dash() -> None:
    table = text_table(["name", "rows"], [("one", 1_234), ("second", None)])

    assert table.splitlines() == ["name     rows", "one     1,234", "second      -"]
