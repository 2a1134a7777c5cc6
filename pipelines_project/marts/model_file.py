"""`<model>.tests.yaml`: descriptions of columns, tests of the SQL, and what holds for the rows."""

from datetime import date, datetime
from pathlib import Path
from typing import Any, cast

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from pipelines_project.names import checked_name

Row = dict[str, bool | int | float | str | date | datetime | list[Any] | None]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class GivenTable(_Strict):
    """The rows of a table that a test gives.

    Attributes:
        rows: by column; what a row leaves out is null.
        types: of columns whose type their values do not tell, or of all if there are no rows.
    """

    rows: list[Row] = Field(default_factory=list[Row])
    types: dict[str, str] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _from_rows(cls, value: Any) -> Any:
        return {"rows": cast("list[Any]", value)} if isinstance(value, list) else value


class ModelTest(_Strict):
    """A test: the rows that a model makes of given ones."""

    name: str
    given: dict[str, GivenTable] = Field(default_factory=dict)
    expected: list[Row]


class AcceptedValues(_Strict):
    """The values that a column can have, besides null."""

    column: str
    values: list[bool | int | float | str | date]


class Relationship(_Strict):
    """Where each value of a column, besides null, is found."""

    column: str
    table: str
    field: str


class Assertions(_Strict):
    """What holds for the rows of the table, after every build.

    Attributes:
        not_null: columns without nulls.
        unique: columns, or lists of columns, whose values are there once.
        accepted_values: columns that have no other values.
        relationships: columns whose values are in another table.
        sql: by a name that states the truth, a query that answers nothing.
    """

    not_null: list[str] = Field(default_factory=list)
    unique: list[str | list[str]] = Field(default_factory=list[str | list[str]])
    accepted_values: list[AcceptedValues] = Field(default_factory=list[AcceptedValues])
    relationships: list[Relationship] = Field(default_factory=list[Relationship])
    sql: dict[str, str] = Field(default_factory=dict)


class ModelFile(_Strict):
    """All that the file says.

    Attributes:
        columns: descriptions of columns.
        vars: the values of variables in the tests.
        tests: those of the SQL.
        assertions: those about the rows.
    """

    columns: dict[str, str] = Field(default_factory=dict)
    vars: dict[str, Any] = Field(default_factory=dict)
    tests: list[ModelTest] = Field(default_factory=list[ModelTest])
    assertions: Assertions = Field(default_factory=Assertions)


def read_model_file(path: Path) -> ModelFile:
    """Read the file, or return what an empty one says if there is none.

    Raises:
        ValueError: it is not YAML, or says something else; it names the file.
    """
    if not path.exists():
        return ModelFile()
    try:
        said = yaml.safe_load(path.read_text(encoding="utf-8"))
        file = ModelFile.model_validate(said) if said else ModelFile()
        for name in file.assertions.sql:
            checked_name(name)
    except (yaml.YAMLError, ValidationError, ValueError) as error:
        raise ValueError(f"{path}: {error}") from error
    return file
