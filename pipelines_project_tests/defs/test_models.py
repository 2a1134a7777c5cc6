"""The tests beside the models: each `<model>.tests.yaml` below `defs/`."""

from pathlib import Path

import pytest

from pipelines_project import definitions
from pipelines_project.marts.model_tests import failures, models_with_tests

_DEFS = Path(definitions.__file__).parent / "defs"


@pytest.mark.parametrize("path", models_with_tests(_DEFS), ids=lambda path: path.stem)
def test_a_model_makes_of_given_rows_what_its_tests_expect(path: Path) -> None:
    assert failures(path) == {}
