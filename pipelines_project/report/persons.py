"""Which tables and marts may hold persons, so that no row of them is shown.

A table with a `subject` holds persons, and where one table of a source does, others may name them
too: the agents of a help desk, the contact of a company. So does what is made of them.
"""

from collections.abc import Collection, Sequence

from pipelines_project.marts.mart import Mart, marts_over
from pipelines_project.table import Table


def names_with_persons(tables: Sequence[Table], marts: Collection[Mart]) -> set[str]:
    """Return the tables and marts, as SQL names them, that may hold persons."""
    sources = {table.source for table in tables if table.subject}
    names = {f"{table.source}.{table.name}" for table in tables if table.source in sources}
    return names | {mart.full_name for mart in marts_over(names, marts)}
