"""A month without surprises: its types are told by the first rows, and every row is read once."""

from dataclasses import replace

from pipelines_project.sources.files.month_rows import Before, Landed, MonthRows, where
from pipelines_project.sources.files.relation import sample
from pipelines_project.sources.files.row_contract import changes
from pipelines_project.sources.files.text_types import VACANT
from pipelines_project.sources.files.told_columns import told


def quick_landing(month: MonthRows, before: Before) -> Landed | None:
    """Write the month's rows, or return None: a row does not fit, or a line is no row.

    What comes is what reading with care would give: a type that holds every row and is the best
    for the first ones is the best for all.

    Raises:
        duckdb.Error: a file is not as its format says.
    """
    settings = month.reading.settings
    expected = read = sum(part.rows for part in month.parts)
    others = None
    if month.month_of:
        by_month = dict(
            month.every(f"select {month.month_of}, count(*) from ({month.unnumbered}) group by 1")
        )
        if None in by_month or sum(by_month.values()) != read:
            return None
        expected = by_month.get(month.month, 0)
        others = read - expected
    first = where(sample(settings, month.columns, month.parts), month.is_of_month)
    columns, vacant = told(month.reading.connection, first, month.columns)
    # A column may have its first value further on.
    columns = [
        replace(c, type=VACANT) if c.name in vacant and unread.type is None else c
        for c, unread in zip(columns, month.columns, strict=True)
    ]
    found = changes(columns, vacant, before)
    if found and settings.contract != "evolve":
        return None
    path, written = month.written(where(month.unnumbered, month.is_of_month), columns)
    if written != expected:
        return None
    return Landed(path, written, read, 0, others, [change.text for change in found])
