"""A look at what a source would land of a month, which lands nothing."""

from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.parquet
from dlt.extract import DltResource

from pipelines_project.landing.landed_month import LandedMonth
from pipelines_project.landing.stage import staged
from pipelines_project.names import DLT_COLUMNS
from pipelines_project.sources.column_names import NONE_CHOSEN, ColumnNames
from pipelines_project.sources.column_origin import origins
from pipelines_project.sources.fetch import Extract, Fetch
from pipelines_project.sources.files.load_facts import remarks, shown_facts

# Its stubs know only a part of the types.
pq: Any = pyarrow.parquet


@dataclass(frozen=True)
class LookedColumn:
    """A column of a month: its name, its dlt type, and where the source has it (JSON pointer)."""

    name: str
    type: str
    origin: str


@dataclass(frozen=True)
class Look:
    """The first rows of a month, its columns as those rows tell them, and what is to be said."""

    rows: pa.Table
    columns: list[LookedColumn]
    remarks: str = ""


def look(
    month: LandedMonth, extract: Extract, limit: int, column_names: ColumnNames = NONE_CHOSEN
) -> Look:
    """Fetch the first rows of a month, typed as landing would type them, and land nothing.

    A source that cannot stop early fetches more than it shows. Types are those of the rows that
    were fetched: more rows may widen them.

    Args:
        month: which month.
        extract: gives the resource of its rows.
        limit: the most rows.
        column_names: the names of columns that the settings choose.

    Raises:
        dlt.pipeline.exceptions.PipelineStepFailed: the rows could not be fetched; its causes say
            why.
    """
    fetch = Fetch(most_rows=limit)

    def first_rows() -> DltResource:
        resource = extract(month.month, fetch)
        # dlt limits only what has no parent.
        return resource if resource.is_transformer else resource.add_limit(limit, count_rows=True)

    with staged(month, first_rows, column_names) as new:
        paths = [file.path for file in new.files if file.table == month.table]
        tables = [pq.read_table(path) for path in paths]
        rows = pa.concat_tables(tables, promote_options="permissive").slice(0, limit)
        found = origins(tables[0].schema)
        columns = [LookedColumn(n, t, found.get(n, "")) for n, t in new.schema.items()]
        shown = [each for each in columns if each.name not in DLT_COLUMNS]
        # Only files have lines.
        said = remarks(shown_facts(fetch.facts)) if "lines_read" in fetch.facts else ""
        return Look(rows.select([each.name for each in shown]), shown, said)
