"""The models of a source's folder `marts/`, with what lies beside them."""

from collections.abc import Mapping
from pathlib import Path

from pipelines_project.marts.macros import read_macros
from pipelines_project.marts.model import SqlModel, parse_model
from pipelines_project.marts.variables import Value


def read_models(folder: Path, variables: Mapping[str, Value]) -> list[SqlModel]:
    """Read every model of a folder, in the order of their names.

    `<model>.before.sql` and `<model>.after.sql` are statements of the model beside them.

    Raises:
        ValueError: a file is none of these, or cannot be read as what it is; it names the file.
    """
    macros = read_macros(folder / "macros", variables)
    models = [
        parse_model(path, variables, macros)
        for path in sorted(folder.glob("*.sql"))
        if not path.stem.endswith((".before", ".after"))
    ]
    names = {model.name for model in models}
    for path in [*folder.glob("*.before.sql"), *folder.glob("*.after.sql")]:
        if path.name.split(".")[0] not in names:
            raise ValueError(f"{path}: there is no model {path.name.split('.')[0]}.sql beside it")
    return models
