"""Rows that wait until there are enough of them for a row group of a parquet file."""

import pyarrow as pa

ROW_GROUP_ROWS = 122_880
"""The most rows of a row group, as DuckDB writes them. A table handed to dlt is a row group."""

ROW_GROUP_BYTES = 64 << 20
"""The most bytes that the rows of a row group take in memory."""


class RowGroup:
    """The rows of the row group to come."""

    def __init__(self, most_rows: int = ROW_GROUP_ROWS) -> None:
        """Begin with none, and take as many; fewer where rows are very wide."""
        self._waiting: list[pa.Table] = []
        self._rows = self._bytes = 0
        self._most_rows = most_rows

    def add(self, rows: pa.Table) -> bool:
        """Take more rows, and tell whether they are enough."""
        self._waiting.append(rows)
        self._rows += len(rows)
        self._bytes += rows.nbytes
        return self._rows >= self._most_rows or self._bytes >= ROW_GROUP_BYTES

    def taken(self) -> list[pa.Table]:
        """Return the rows as one table, if there are any, and begin anew."""
        waiting, self._waiting, self._rows, self._bytes = self._waiting, [], 0, 0
        return [pa.concat_tables(waiting)] if waiting else []
