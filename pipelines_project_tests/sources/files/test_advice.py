"""A month of files that is refused says what to set, and lands once that is set."""

from pathlib import Path

import pytest

from pipelines_project_tests.file_rows import FileLander


@pytest.fixture
def lander(tmp_path: Path) -> FileLander:
    return FileLander(tmp_path)


@pytest.mark.parametrize(
    ("text", "declared", "advised"),
    [
        ("31.01.2024", "date", "date(%d.%m.%Y)"),
        ("01/31/2024", "date", "date(%m/%d/%Y)"),
        ("31.01.2024 10:30", "timestamp", "timestamp(%d.%m.%Y %H:%M)"),
        ("20240131", "date", "date(%Y%m%d)"),
    ],
)
def test_a_date_in_another_form_is_told_with_the_type_to_declare(
    lander: FileLander, text: str, declared: str, advised: str
) -> None:
    lander.write(f"id,day\n1,{text}\n")

    said = lander.error(types={"day": declared})
    assert said.endswith(f"declare types: {{day: '{advised}'}}")

    assert lander.land(types={"day": advised}).rows.num_rows == 1


def test_the_column_that_tells_the_month_is_told_with_its_form_too(lander: FileLander) -> None:
    (lander.raw / "all.csv").write_text("id,day\n1,31.01.2024\n")
    said = lander.error("all.csv", month_column="day")
    assert said.endswith("day looks like %d.%m.%Y: declare types: {day: 'date(%d.%m.%Y)'}")
    form = {"day": "date(%d.%m.%Y)"}
    assert lander.land("all.csv", month_column="day", types=form).rows.num_rows == 1


def test_a_text_in_a_column_of_dates_is_told_as_such(lander: FileLander) -> None:
    lander.write("id,day\n1,2024-01-31\n2,pending\n")
    said = lander.error(types={"day": "date"})
    assert "'pending' in day is no date" in said
    assert said.endswith("If day is no date, leave it out of types and month_column")


@pytest.mark.stack
@pytest.mark.parametrize("text", ["1,5", "1.234,50", "-0,25", "12345,6"])
def test_a_decimal_comma_is_told_with_what_makes_a_number_of_it(
    lander: FileLander, text: str
) -> None:
    lander.write(f'id,amount\n1,"{text}"\n')
    said = lander.error(types={"amount": "decimal(12,2)"})
    assert "amount has a decimal comma: leave it out of types" in said
    assert lander.land().column("amount") == [text]


def test_a_title_above_the_header_is_told_with_the_row_of_the_header(lander: FileLander) -> None:
    lander.write("Receipts of 2024\n\nid,amount\n1,5\n2,6\n")

    said = lander.error()
    assert "set start_row: 3, or the row in which it is" in said

    assert lander.land(start_row=3).rows.to_pylist() == [
        {"id": 1, "amount": 5},
        {"id": 2, "amount": 6},
    ]


def test_one_line_with_too_many_fields_is_no_title(lander: FileLander) -> None:
    lander.write("id,amount\n1,5\n2,6\n3,7,8\n")
    assert "start_row" not in lander.error()


def test_columns_that_no_file_has_are_told_with_the_row_of_the_header(lander: FileLander) -> None:
    lander.write("Receipts,\nid,amount\n1,5\n")
    assert "set start_row if the header stands further down" in lander.error(types={"id": "bigint"})
