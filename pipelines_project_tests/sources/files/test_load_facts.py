"""What is said in one line of a load of files."""

from pipelines_project.sources.files.load_facts import remarks


def test_quarantined_lines_those_of_other_months_and_new_columns_are_said() -> None:
    changes = [f"new column 'c{number}' (VARCHAR)" for number in range(7)]
    shown = {
        "lines_read": 9,
        "lines_quarantined": 2,
        "lines_of_other_months": 3,
        "schema_changes": changes,
    }
    assert remarks(shown) == (
        "2 of 9 lines quarantined; 3 lines of other months; schema changes: "
        f"{', '.join(changes[:5])} and 2 more"
    )


def test_nothing_is_said_where_every_line_lands_as_before() -> None:
    quiet = {"lines_read": 9, "lines_quarantined": 0, "schema_changes": []}
    assert (remarks(quiet), remarks({})) == ("", "")
