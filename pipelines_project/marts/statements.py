"""SQL statements that are no models: those before and after a model is built, and macros."""

from collections.abc import Mapping
from pathlib import Path

import duckdb

from pipelines_project.marts.variables import Value, with_values

_REFUSED = (
    duckdb.StatementType.TRANSACTION,
    duckdb.StatementType.ATTACH,
    duckdb.StatementType.DETACH,
)


def read_statements(path: Path, variables: Mapping[str, Value]) -> tuple[str, ...]:
    """Return the statements of a file, with the values of variables; none if there is no file.

    Raises:
        ValueError: DuckDB cannot parse them, or one of them would end the transaction in which they
            run, or change what is attached; it names the file.
    """
    if not path.exists():
        return ()
    try:
        sql = with_values(path.read_text(encoding="utf-8"), variables)
        statements = duckdb.extract_statements(sql)
    except (duckdb.Error, ValueError) as error:
        raise ValueError(f"{path}: {error}") from error
    for statement in statements:
        if statement.type in _REFUSED:
            raise ValueError(f"{path}: {statement.query.strip()[:80]} may not stand here")
    return tuple(statement.query.strip() for statement in statements)
