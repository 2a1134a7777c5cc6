"""Tables and queries of a database, a month or a snapshot at a time.

Two readers give the same rows, exactly or not at all:

- PostgreSQL: DuckDB's `postgres` extension (`postgres_copy.py`) runs one `copy … to stdout`
  in binary, and DuckDB writes the parquet file that dlt is handed. What has no exact form there is
  made text by the server.
- Any other database of SQLAlchemy: the rows of its driver (`driver_rows.py`), typed as declared.

Two million rows of ten columns from PostgreSQL into Arrow, in seconds of processor time and with
the peak memory of the process:

    DuckDB's extension, one thread          0.8    130 MB
    the same into a parquet file            2.2
    DuckDB's extension, two threads         1.9    130 MB
    ADBC                                    3.3    105 MB, and decimals come as text
    connectorx, by dlt's `sql_table`         11    all rows at once
    dlt's `sql_table`, Arrow                 25    260 MB for a month

DuckDB by itself reads `numeric` without a scale as floating point, NaN as 0 and infinite dates as
numbers: the select list of `postgres_columns.py` and the bounds of `time_bounds.py` are there for
that. For SQLite its extension is seventeen times as fast as the driver's rows, and not exact:
decimals are floating point, and a number in the place of a date becomes one. `sql_table` cannot
keep what a month needs: columns whose names fall together are an error, and SQLAlchemy's conversion
of SQLite's decimals rounds.
"""
