"""The tests beside the models: each `<model>.tests.yaml` below `defs/`."""

from pathlib import Path

import pytest

from pipelines_project import definitions
from pipelines_project.marts.model import parse_model
from pipelines_project.marts.model_tests import failures, models_with_tests

_DEFS = Path(definitions.__file__).parent / "defs"


@pytest.mark.parametrize("path", models_with_tests(_DEFS), ids=lambda path: path.stem)
def test_a_model_makes_of_given_rows_what_its_tests_expect(path: Path) -> None:
    assert failures(path) == {}


@pytest.mark.parametrize("path", sorted(_DEFS.glob("*/marts/*.sql")), ids=lambda path: path.stem)
def test_each_column_of_a_mart_says_what_it_is(path: Path) -> None:
    model = parse_model(path)

    assert {*model.query.named_selects} - model.column_descriptions.keys() == set()
