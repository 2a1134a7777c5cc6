"""The reference of components and settings says what the code has."""

import re
from importlib import metadata
from pathlib import Path

import pytest

from pipelines_project.components.__main__ import schema
from pipelines_project.components.reference import reference

_ROOT = Path(__file__).parents[2]
# In `defs.yaml`, and as a text in Python.
_READ = re.compile(r"""env\.([A-Z_]+)|"([A-Z]+(?:_[A-Z]+)*_(?:URL|PATH|LIMIT|THREADS))\"""")
# Told in one line for all sources, and made up in an example of the text of an error.
_TOLD_TOGETHER, _EXAMPLES = "_START_MONTH", {"NAME", "SHOP_URL"}


@pytest.mark.skipif(
    f"dagster=={metadata.version('dagster')}\n" not in (_ROOT / "constraints.txt").read_text(),
    reason="the page is written with the Dagster of constraints.txt, which makes the schema",
)
def test_the_page_of_components_is_what_the_command_writes() -> None:
    page = _ROOT / "docs" / "reference" / "components.md"

    assert page.read_text(encoding="utf-8") == reference(schema()), "run `make reference`"


def test_an_attribute_is_told_with_its_values_default_and_description() -> None:
    lines = reference(schema()).splitlines()

    files = lines[lines.index("## FileTableModel") : lines.index("## FromEnvironment")]
    (on_bad_row,) = [line for line in files if line.startswith("| `on_bad_row`")]
    assert on_bad_row.startswith('| `on_bad_row` | `fail` or `quarantine` | `"fail"` | ')
    assert "| `name` | text | required | " in "\n".join(files)


def test_every_environment_variable_that_is_read_is_in_the_page_of_settings() -> None:
    package = _ROOT / "pipelines_project"
    sources = [*package.rglob("*.py"), *(package / "defs").glob("*/defs.yaml")]
    deployed = [file for file in sources if file.parent.name not in ("sandbox", "demo")]
    text = "\n".join(file.read_text(encoding="utf-8") for file in deployed)
    read = {name for found in _READ.findall(text) for name in found if name}
    page = (_ROOT / "docs" / "settings.md").read_text(encoding="utf-8")

    assert {"LANDING_URL", "CHESS_PLAYERS", "DUCKDB_THREADS", "REPORT_PATH"} <= read
    missing = {name for name in read - _EXAMPLES if f"`{name}`" not in page}
    assert {name for name in missing if not name.endswith(_TOLD_TOGETHER)} == set()
