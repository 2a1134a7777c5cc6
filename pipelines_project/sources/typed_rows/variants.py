"""The check that no column was split by the types of its values."""

from dlt import Schema

from pipelines_project.sources.http.api_calls import SourceError


def refuse_variants(schema: Schema, table: str) -> None:
    """Refuse a table in which dlt made a column beside one whose type does not hold all values.

    Such a column, `temperature__v_double`, takes the values that do not fit `temperature`; whoever
    reads only `temperature` then calculates with a part of them.

    Args:
        schema: of the pipeline, after it has normalized.
        table: the name of the table.

    Raises:
        SourceError: names the columns.
    """
    columns = schema.tables.get(table, {}).get("columns", {})
    if split := sorted(name for name, column in columns.items() if column.get("variant")):
        raise SourceError(
            f"{table} has values of several types in one column, and dlt put some of them into "
            f"{', '.join(split)}: declare the type of the column that is named before `__v_`"
        )
