"""What the documents give to a shell, which Dagster takes as it stands, and where they lead to."""

import json
import re
import shlex
import warnings
from pathlib import Path

import dagster as dg
import pytest

from pipelines_project import definitions

ROOT = Path(__file__).parents[1]
DOCUMENTS = [
    ROOT / "README.md",
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted((ROOT / "examples").rglob("*.md")),
]
_BACKFILL = ROOT / "docs" / "backfill.md"
_LINK = re.compile(r"\]\((?!https?:)([^)\s]+)\)")
_MATERIALIZE = re.compile(r"dagster asset materialize (-m [^`\n]+)")


def _arguments(document: Path) -> list[list[str]]:
    text = document.read_text(encoding="utf-8").replace("\\\n", " ")
    # A month that the shell tells is one word of the command.
    commands = _MATERIALIZE.findall(text.replace("$(date -u +%Y-%m)", "2024-01"))
    return [shlex.split(command) for command in commands]


def _option(arguments: list[str], name: str) -> list[str]:
    return [arguments[n + 1] for n, found in enumerate(arguments[:-1]) if found == name]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda each: str(each.relative_to(ROOT)))
def test_dagster_takes_every_selection(document: Path) -> None:
    for arguments in _arguments(document):
        (selected,) = _option(arguments, "--select")
        with warnings.catch_warnings():
            # Dagster's parser passes a parameter that Dagster calls beta.
            warnings.simplefilter("ignore", dg.BetaWarning)
            assert dg.AssetSelection.from_string(selected)
        (months,) = _option(arguments, "--partition") + _option(arguments, "--partition-range")
        assert re.fullmatch(r"20[0-9]{2}-[01][0-9](\.\.\.20[0-9]{2}-[01][0-9])?", months)


def test_there_are_selections_in_the_page_on_backfills() -> None:
    assert len(_arguments(_BACKFILL)) > 3


def test_the_config_of_the_page_on_backfills_is_that_of_an_asset() -> None:
    given = [
        each for arguments in _arguments(_BACKFILL) for each in _option(arguments, "--config-json")
    ]
    job = definitions.load().resolve_implicit_global_asset_job_def()

    assert given
    for config in given:
        assert dg.validate_run_config(job, json.loads(config))


@pytest.mark.parametrize(
    "document",
    [*DOCUMENTS, ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"],
    ids=lambda each: str(each.relative_to(ROOT)),
)
def test_every_link_leads_to_a_file_and_to_a_heading_that_there_is(document: Path) -> None:
    for link in _LINK.findall(document.read_text(encoding="utf-8")):
        path, _, anchor = link.partition("#")
        target = (document.parent / path).resolve() if path else document
        assert target.exists(), link
        assert not anchor or anchor in _anchors(target), link


def _anchors(document: Path) -> list[str]:
    headings = re.findall(r"^#+ (.*)$", document.read_text(encoding="utf-8"), re.M)
    return [re.sub(r"[^\w -]", "", each.lower()).replace(" ", "-") for each in headings]
