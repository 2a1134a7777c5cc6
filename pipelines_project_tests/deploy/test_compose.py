"""The compose file: what it names exists, and each service knows where the others are."""

import importlib.util
import re
import sys
from pathlib import Path

import compose_spec
import pytest
import yaml

from pipelines_project_tests.deploy.compose_file import FILE, OF_THE_PROJECT, ROOT, services

_NAMED = re.compile(r"\{env: (\w+)\}")
_DEPLOY = [ROOT / "deploy" / name for name in ("dagster.yaml", "workspace.yaml")]
_DOCUMENTS = [
    ROOT / "docs" / name for name in ("settings.md", "object_storage.md", "warehouses.md")
]


def test_the_file_is_what_the_compose_specification_says() -> None:
    # With its anchors put in, which the reader does not do itself.
    said = yaml.safe_dump(yaml.safe_load(FILE.read_text(encoding="utf-8")))
    compose_spec.PyCompose.from_yaml(said).validate()


@pytest.mark.parametrize("name", OF_THE_PROJECT)
def test_a_service_has_every_variable_that_the_instance_and_the_workspace_name(name: str) -> None:
    named = {each for file in _DEPLOY for each in _NAMED.findall(file.read_text())}
    assert named
    assert named <= {*services()[name]["environment"]}


def test_every_variable_is_one_that_is_read() -> None:
    documented = "".join(each.read_text() for each in [*_DEPLOY, *_DOCUMENTS])
    for name in services()["code"]["environment"]:
        assert re.search(rf"\b{name}\b", documented), name


@pytest.mark.parametrize("name", OF_THE_PROJECT)
def test_commands_are_programs_and_modules_of_the_image(name: str) -> None:
    words = " ".join(services()[name]["command"]).split()
    program = "dagster" if words[0] == "sh" else words[0]
    assert (Path(sys.executable).parent / program).exists()
    for word in words:
        if word.startswith("pipelines_project"):
            assert importlib.util.find_spec(word)


def test_files_are_where_they_are_looked_for() -> None:
    build = services()["code"]["build"]
    assert (FILE.parent / build["context"] / build["dockerfile"]).resolve() == ROOT / "Dockerfile"
    copied = (ROOT / "Dockerfile").read_text()
    assert "deploy/dagster.yaml deploy/workspace.yaml /app/home/" in copied
    for name in ("webserver", "daemon"):
        assert "/app/home/workspace.yaml" in services()[name]["command"]
    mounted = services()["postgres"]["volumes"][1].split(":")[0]
    assert (FILE.parent / mounted).read_text().endswith("create database lake;\n")


def test_who_waits_for_a_service_waits_for_one_whose_health_is_checked() -> None:
    checked = {name for name, said in services().items() if "healthcheck" in said}
    # Of the image, as the Dockerfile says.
    checked.add("code")
    for said in services().values():
        for name, condition in said.get("depends_on", {}).items():
            assert name in services()
            is_checked = name in checked or condition["condition"] != "service_healthy"
            assert is_checked, name


def test_addresses_are_names_and_ports_of_services() -> None:
    environment = services()["code"]["environment"]
    assert environment["DAGSTER_CODE_HOST"] in services()
    for name in ("DAGSTER_POSTGRES_URL", "CELERY_BROKER_URL", "AWS_ENDPOINT_URL"):
        [host] = re.findall(r"(?:@|//)(\w+):\d+", environment[name])
        assert host in services()
    assert "host=postgres " in environment["WAREHOUSE_URL"]
