"""How PostgreSQL keeps what is landed: the names and the types that columns have there."""

import re
from hashlib import sha256

_NAME_BYTES = 63
_DIGEST = 8
_SYSTEM_COLUMNS = ("tableoid", "xmin", "cmin", "xmax", "cmax", "ctid")
# DuckDB would make others of some, and read them back as what does not hold their values.
_STORED = {
    "TINYINT": "SMALLINT",
    "UTINYINT": "SMALLINT",
    "USMALLINT": "INTEGER",
    "UINTEGER": "BIGINT",
    "UBIGINT": "DECIMAL(20,0)",
    "HUGEINT": "DECIMAL(38,0)",
    "TIMESTAMP_S": "TIMESTAMP",
    "TIMESTAMP_MS": "TIMESTAMP",
    "JSON": "VARCHAR",
}
_POSTGRES_NAMES = {
    "SMALLINT": "smallint",
    "INTEGER": "integer",
    "BIGINT": "bigint",
    "FLOAT": "real",
    "DOUBLE": "double precision",
    "VARCHAR": "varchar",
    "BOOLEAN": "boolean",
    "DATE": "date",
    "TIME": "time",
    "TIMESTAMP": "timestamp",
    "TIMESTAMP WITH TIME ZONE": "timestamptz",
    "INTERVAL": "interval",
    "UUID": "uuid",
    "BLOB": "bytea",
}
_DECIMAL = re.compile(r"DECIMAL\(\d+,\d+\)")
_LIST = re.compile(r"(.+[^\]])\[\]")


class NoSuchTypeError(Exception):
    """PostgreSQL has no type that holds the values of one of DuckDB's as they are."""


def stored_name(column: str) -> str:
    """Return the name that a column has in PostgreSQL.

    A longer one than PostgreSQL takes ends with a part of its hash, so that it stays its own.
    """
    name = f"source_{column}" if column in _SYSTEM_COLUMNS else column
    whole = name.encode()
    if len(whole) <= _NAME_BYTES:
        return name
    start = whole[: _NAME_BYTES - _DIGEST - 1].decode(errors="ignore")
    return f"{start}_{sha256(whole).hexdigest()[:_DIGEST]}"


def stored_type(sql_type: str) -> str:
    """Return the type of DuckDB that a column has in PostgreSQL.

    Raises:
        NoSuchTypeError: there is none.
    """
    if match := _LIST.fullmatch(sql_type):
        return f"{stored_type(match[1])}[]"
    stored = _STORED.get(sql_type, sql_type)
    if stored not in _POSTGRES_NAMES and not _DECIMAL.fullmatch(stored):
        raise NoSuchTypeError(sql_type)
    return stored


def postgres_type(stored: str) -> str:
    """Return what PostgreSQL calls a type that it stores."""
    if match := _LIST.fullmatch(stored):
        return f"{postgres_type(match[1])}[]"
    return _POSTGRES_NAMES.get(stored, stored)
