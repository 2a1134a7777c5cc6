"""What the documents give to a shell is there and taken as it stands, and where they lead to."""

import json
import re
import shlex
import warnings
from importlib import util
from pathlib import Path

import dagster as dg
import pytest

from pipelines_project import definitions
from pipelines_project_tests.documents import DOCUMENTS, ROOT

_BACKFILL = ROOT / "docs" / "backfill.md"
_LINK = re.compile(r"\]\((?!https?:)([^)\s]+)\)")
_MATERIALIZE = re.compile(r"dagster asset materialize (-m [^`\n]+)")
_RUN_JOB = re.compile(r"python -m pipelines_project\.run_job ([a-z][^`\n]+)")
_MODULE = re.compile(r"python -m ((?:pipelines_project|benchmarks)[\w.]*)")
_MAKE = re.compile(r"(?:^|`)make ([a-z][\w-]*)", re.MULTILINE)


def _arguments(document: Path, pattern: re.Pattern[str] = _MATERIALIZE) -> list[list[str]]:
    text = document.read_text(encoding="utf-8").replace("\\\n", " ")
    # A month that the shell tells is one word of the command.
    commands = pattern.findall(text.replace("$(date -u +%Y-%m)", "2024-01"))
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


@pytest.fixture(scope="module")
def jobs() -> dict[str, dg.JobDefinition]:
    return {job.name: job for job in definitions.load().resolve_all_job_defs()}


@pytest.mark.stack
@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda each: str(each.relative_to(ROOT)))
def test_every_job_that_is_run_is_there_and_takes_the_config(
    document: Path, jobs: dict[str, dg.JobDefinition]
) -> None:
    for name, *arguments in _arguments(document, _RUN_JOB):
        if name not in jobs:
            # An example's, whose own test runs it.
            assert not name.startswith(("chess_", "freshdesk_", "local_jsonl_")), name
            continue
        job = jobs[name]
        for given in _option(arguments, "--config"):
            config = {node.name: {"config": json.loads(given)} for node in job.nodes}
            assert dg.validate_run_config(job, {"ops": config}), name
        assert bool(job.partitions_def) == bool(_option(arguments, "--partition")), name


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda each: str(each.relative_to(ROOT)))
def test_every_target_of_make_and_every_module_that_is_run_is_there(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)

    assert set(_MAKE.findall(text)) <= set(targets)
    for module in set(_MODULE.findall(text)):
        found = util.find_spec(module)
        assert found, module
        assert not found.submodule_search_locations or util.find_spec(f"{module}.__main__"), module


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


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda each: str(each.relative_to(ROOT)))
def test_every_picture_is_a_file_so_that_the_site_needs_no_network(document: Path) -> None:
    text = document.read_text(encoding="utf-8")

    # The site would fetch what draws such a block from another host.
    assert "```mermaid" not in text
    assert not re.search(r"!\[[^]]*\]\(https?:", text)


def _anchors(document: Path) -> list[str]:
    headings = re.findall(r"^#+ (.*)$", document.read_text(encoding="utf-8"), re.M)
    return [re.sub(r"[^\w -]", "", each.lower()).replace(" ", "-") for each in headings]


@pytest.mark.parametrize("folder", ["decisions", "sources"])
def test_the_first_page_of_a_folder_leads_to_all_others(folder: str) -> None:
    first = ROOT / "docs" / folder / "README.md"
    links = set(_LINK.findall(first.read_text(encoding="utf-8")))

    assert {page.name for page in first.parent.glob("*.md")} - links == {first.name}
