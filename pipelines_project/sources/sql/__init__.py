"""Tables and queries of a database, a month or a snapshot at a time.

Two readers give the same rows, exactly or not at all:

- PostgreSQL: DuckDB's `postgres` extension (`postgres_rows.py`) runs one statement, `copy … to
  stdout` in binary, and hands on Arrow. What has no exact form in Arrow is made text by the server.
- Any other database of SQLAlchemy: its driver's rows (`driver_rows.py`), typed as declared.

Two million rows of ten columns from PostgreSQL into Arrow, in seconds of processor time and with
the peak memory: DuckDB's extension 1.5 and 150 MB; ADBC 3.3 and 105 MB, and decimals come as text;
the driver's rows through dlt's `sql_table` with Arrow are some ten times that. DuckDB by itself
reads `numeric` without a scale as floating point, NaN as 0 and infinite dates as numbers; the
select list of `postgres_columns.py` and the bounds of `time_bounds.py` are there for that.
`sql_table` cannot keep the two promises that a month needs: two columns whose names fall together
are an error, and SQLite's values of another type pass through a conversion that rounds.
"""
