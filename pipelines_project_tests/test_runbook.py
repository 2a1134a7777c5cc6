"""The runbook speaks of messages, jobs and checks that there are."""

import ast
import re
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest

from pipelines_project import definitions

_ROOT = Path(__file__).parents[1]
_RUNBOOK = (_ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")
_VALUE = "…"
# Of the operating system and of DuckDB, which say them in their own words.
_OF_OTHERS = ("No space left on device", "Could not set lock")


def _rows(after: str) -> list[str]:
    """Return the first cell of each row of the first table after a text."""
    table = _RUNBOOK.partition(after)[2].partition("\n|")[2].partition("\n\n")[0]
    return [line.split("|")[1].strip() for line in table.splitlines()[2:]]


def _messages() -> list[str]:
    cells = _rows("stand for your source and table.")
    return [message for cell in cells for message in re.findall("`([^`]+)`", cell)]


def _texts(tree: ast.AST) -> Iterator[str]:
    """Yield every text of the code; `…` stands for what is put into it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            parts = [p.value if isinstance(p, ast.Constant) else _VALUE for p in node.values]
            yield "".join(map(str, parts))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value.replace("%s", _VALUE)


@pytest.fixture(scope="module")
def said() -> list[str]:
    """Everything that the project can say."""
    files = (_ROOT / "pipelines_project").rglob("*.py")
    return [text for file in files for text in _texts(ast.parse(file.read_text(encoding="utf-8")))]


@pytest.mark.stack
@pytest.mark.parametrize("message", _messages())
def test_a_message_of_the_runbook_is_one_that_the_project_has(
    message: str, said: list[str]
) -> None:
    if message in _OF_OTHERS:
        return
    # A value may also stand at the end of one text and another text follow it.
    pattern = re.compile(re.escape(message.strip(_VALUE + " ")).replace(_VALUE, "[^\n]*"))
    assert any(pattern.search(text) for text in said)


def test_every_check_of_a_table_is_in_the_runbook_and_no_other() -> None:
    keys = definitions.load().resolve_asset_graph().asset_check_keys
    checks = {key.name for key in keys if key.asset_key.path[0] in ("landing", "warehouse")}
    named = [name for row in _rows("## Checks fail") for name in re.findall("`([a-z_*]+)`", row)]

    assert len(named) > 5
    assert {check for check in checks if not any(fnmatch(check, name) for name in named)} == set()
    assert [name for name in named if not any(fnmatch(check, name) for check in checks)] == []
