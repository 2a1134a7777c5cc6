"""Running the tests of a model in an empty DuckDB."""

from pathlib import Path

import duckdb
from sqlglot import exp

from pipelines_project.marts.macros import read_macros
from pipelines_project.marts.model import SqlModel, parse_model
from pipelines_project.marts.model_file import GivenTable, ModelTest, Row, read_model_file
from pipelines_project.marts.variables import checked_variables
from pipelines_project.months import months_before
from pipelines_project.sql_text import qualified, quoted
from pipelines_project.warehouse.columns import MONTH_COLUMN


def models_with_tests(folder: Path) -> list[Path]:
    """Return the models below a folder that have tests, in order."""
    files = sorted(folder.rglob("*.tests.yaml"))
    return [path.with_name(f"{path.name.removesuffix('.tests.yaml')}.sql") for path in files]


def failures(path: Path) -> dict[str, str]:
    """Run the tests of a model, and return why each that fails does, by its name.

    An incremental model is also built month by month in each test, to the same rows.

    Raises:
        ValueError: model or tests cannot be read; it names the file.
    """
    file = read_model_file(path.with_suffix(".tests.yaml"))
    values = checked_variables(file.vars)
    model = parse_model(path, values, read_macros(path.parent / "macros", values))
    told = {test.name: _told(model, test) for test in file.tests}
    return {name: reason for name, reason in told.items() if reason}


def _told(model: SqlModel, test: ModelTest) -> str:
    """Return why a test fails, or ""."""
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.execute("set TimeZone = 'UTC'")
        try:
            for name, table in test.given.items():
                _create(connection, name, table)
            for macro in model.macros:
                connection.execute(macro.sql)
            for statement in model.before:
                connection.execute(statement)
            connection.execute(f"create table built as {model.sql}")
            _create(connection, "main.expected", _typed(connection, test.expected))
        except duckdb.Error as error:
            return str(error)
        columns = ", ".join(
            map(quoted, dict.fromkeys(name for row in test.expected for name in row))
        )
        told = _difference(connection, columns or "*", "built", "expected")
        if not told and model.is_incremental:
            told = _difference_by_month(connection, model)
        return told


def _create(connection: duckdb.DuckDBPyConnection, name: str, table: GivenTable) -> None:
    """Create a table with the rows, whose types are told by their values or said."""
    schema, _, plain = name.partition(".")
    connection.execute(f"create schema if not exists {quoted(schema)}")
    types = ", ".join(
        f"cast(null as {kind}) as {quoted(name)}" for name, kind in table.types.items()
    )
    selects = [f"select {types} where false"] if types else []
    selects += [_select(row, table.types) for row in table.rows]
    if not selects:
        raise duckdb.InvalidInputException(f"{name} has no rows: say the types of its columns")
    rows = " union all by name ".join(selects)
    connection.execute(f"create table {qualified(schema, plain)} as {rows}")


def _typed(connection: duckdb.DuckDBPyConnection, rows: list[Row]) -> GivenTable:
    """Return the expected rows with the types of the built table's columns."""
    described = connection.execute("describe built").fetchall()
    types = {name: kind for name, kind, *_ in described}
    named = {name for row in rows for name in row} or {*types}
    return GivenTable(rows=rows, types={n: types[n] for n in types if n in named})


def _select(row: Row, types: dict[str, str]) -> str:
    values: list[str] = []
    for name, value in row.items():
        literal = exp.convert(value).sql("duckdb")
        typed = f"cast({literal} as {types[name]})" if name in types else literal
        values.append(f"{typed} as {quoted(name)}")
    return f"select {', '.join(values)}"


def _difference(
    connection: duckdb.DuckDBPyConnection, columns: str, built: str, expected: str
) -> str:
    """Return the rows that only one of two tables has, or ""."""
    said: list[str] = []
    for title, these, others in (
        ("missing", expected, built),
        ("not expected", built, expected),
    ):
        query = f"select {columns} from {these} except all select {columns} from {others}"
        try:
            found = connection.execute(f"from ({query}) order by all limit 10")
        except duckdb.Error as error:
            return str(error)
        names = [column[0] for column in found.description or []]
        said += [f"{title}: {dict(zip(names, row, strict=True))}" for row in found.fetchall()]
    return "\n".join(said)


def _difference_by_month(connection: duckdb.DuckDBPyConnection, model: SqlModel) -> str:
    """Return the rows by which building month by month differs from building whole, or ""."""
    names = [qualified(*name.split(".")) for name in model.reads]
    read = " union ".join(f"select {MONTH_COLUMN} from {name}" for name in names)
    connection.execute("create table by_month as from built where false")
    for (month,) in connection.execute(f"select distinct * from ({read}) order by 1").fetchall():
        read_from = [month, *months_before(month, model.header.lookback)][-1]
        sql = model.of_months(read_from, month, month)
        connection.execute(f"insert into by_month by name {sql}")
    told = _difference(connection, "*", "by_month", "built")
    return f"built month by month, other rows come of it:\n{told}" if told else ""
