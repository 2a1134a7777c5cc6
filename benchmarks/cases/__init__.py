"""The cases by their names, in the order in which they are run."""

from typing import Any

from benchmarks.case import Case
from benchmarks.cases.chess import CHESS_BACKFILL, RERUN_UNCHANGED
from benchmarks.cases.csv_files import CSV_TO_PARQUET
from benchmarks.cases.freshdesk import FRESHDESK_BACKFILL
from benchmarks.cases.jsonl import JSONL_TO_DUCKDB, JSONL_TO_PARQUET, PARQUET_TO_DUCKDB
from benchmarks.cases.jsonl_wide import JSONL_WIDE, JSONL_WIDE_MEMORY
from benchmarks.cases.load_time import LOAD_TIME
from benchmarks.cases.many_months import MANY_MONTHS
from benchmarks.cases.many_tables import MANY_TABLES
from benchmarks.cases.mart_month import MART_MONTH
from benchmarks.cases.memory import MEMORY
from benchmarks.cases.postgres import POSTGRES_TO_DUCKDB
from benchmarks.cases.replace_month import REPLACE_MONTH
from benchmarks.cases.ui_backfill import UI_BACKFILL
from benchmarks.cases.wide_load import WIDE_LOAD

CASES: dict[str, Case[Any]] = {
    case.name: case
    for case in (
        LOAD_TIME,
        CHESS_BACKFILL,
        RERUN_UNCHANGED,
        FRESHDESK_BACKFILL,
        UI_BACKFILL,
        REPLACE_MONTH,
        MART_MONTH,
        MANY_TABLES,
        MANY_MONTHS,
        JSONL_TO_DUCKDB,
        JSONL_TO_PARQUET,
        PARQUET_TO_DUCKDB,
        POSTGRES_TO_DUCKDB,
        CSV_TO_PARQUET,
        WIDE_LOAD,
        *JSONL_WIDE,
        MEMORY,
        JSONL_WIDE_MEMORY,
    )
}
