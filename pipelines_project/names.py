"""The names of sources and tables, and what is made of them: rules that every part keeps."""

import re

_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
LEDGER_SCHEMA = "ledger"
MONTH_COLUMN = "month"
"""The column of every warehouse table that says for which month a row was landed."""
ROW_ID_COLUMN, LOAD_ID_COLUMN = DLT_COLUMNS = ("_dlt_id", "_dlt_load_id")
"""What dlt adds to each row: its own id, and that of its load."""
_MARTS, _REBUILT, _QUARANTINE = "_marts", "_rebuilt", "_quarantine"


def is_name(name: str) -> bool:
    """Tell whether dlt, a path and SQL all take the name of a source or table as it is."""
    return len(name) <= 60 and _NAME.fullmatch(name) is not None


def checked_name(name: str) -> str:
    """Return the name of a source or table if dlt, a path and SQL all take it as it is.

    Raises:
        ValueError: for anything but lower-case words joined by single underscores.
    """
    if not is_name(name):
        raise ValueError(f"{name[:80]!r} is not a name: use a-z, 0-9 and single underscores")
    return name


def checked_source(name: str) -> str:
    """Return the name of a source if no schema of the warehouse has it for another purpose.

    Raises:
        ValueError: it is the ledger's, that of a source's marts or of its tables while they are
            rebuilt, or no name at all.
    """
    if name == LEDGER_SCHEMA or name.endswith((_MARTS, _REBUILT)):
        raise ValueError(f"{name!r} is a schema of the warehouse already: choose another name")
    return checked_name(name)


def checked_table(name: str) -> str:
    """Return the name of a table if it is not that of a quarantine.

    Raises:
        ValueError: it is the name of a quarantine table, or no name at all.
    """
    if is_quarantine(name):
        raise ValueError(f"{name[:80]!r} is a name that landing itself uses: choose another")
    return checked_name(name)


def marts_schema(source: str) -> str:
    """Return the warehouse schema of a source's marts."""
    return f"{source}{_MARTS}"


def source_of_marts(schema: str) -> str:
    """Return the source whose marts a schema of the warehouse has, or "" if it has none."""
    return schema.removesuffix(_MARTS) if schema.endswith(_MARTS) else ""


def rebuilt_schema(source: str) -> str:
    """Return the warehouse schema of a source's tables while they are rebuilt."""
    return f"{source}{_REBUILT}"


def source_of_rebuilt(schema: str) -> str:
    """Return the source whose tables a schema has, whether they are being rebuilt or not."""
    return schema.removesuffix(_REBUILT)


def is_quarantine(name: str) -> bool:
    """Tell whether a table has the name of a quarantine."""
    return name.endswith(_QUARANTINE)


def quarantine_table(table: str) -> str:
    """Return the table of the rows that a load of the table refused."""
    return f"{table}{_QUARANTINE}"
