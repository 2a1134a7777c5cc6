"""The JSON schema of the component types, by which editors check a `defs.yaml`."""

import copy
import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator, ValidationError

import pipelines_project

pytestmark = pytest.mark.stack

DEFS = Path(pipelines_project.__file__).parent / "defs"
SHOP = {
    "type": "pipelines_project.components.SqlTables",
    "attributes": {
        "source": "shop",
        "connection": "SHOP_URL",
        "start_month": "2023-01",
        "tables": [{"name": "orders", "table": "orders", "key": ["id"]}],
    },
}


@pytest.fixture(scope="module")
def schema() -> Draft202012Validator:
    command = [sys.executable, "-m", "pipelines_project.components"]
    printed = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    Draft202012Validator.check_schema(printed)
    return Draft202012Validator(printed)


def test_every_document_that_is_deployed_fits_the_schema(schema: Draft202012Validator) -> None:
    documents = [
        document
        for file in DEFS.glob("*/defs.yaml")
        for document in yaml.safe_load_all(file.read_text(encoding="utf-8"))
    ]
    assert len(documents) >= 5
    for document in [SHOP, *documents]:
        schema.validate(document)


def test_a_wrong_attribute_does_not_fit_the_schema(schema: Draft202012Validator) -> None:
    wrong = copy.deepcopy(SHOP)
    wrong["attributes"]["tables"][0]["month_colum"] = "at"  # pyright: ignore[reportArgumentType]
    with pytest.raises(ValidationError, match="month_colum"):
        schema.validate(wrong)
