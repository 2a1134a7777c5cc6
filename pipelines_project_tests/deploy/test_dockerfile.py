"""The image: its steps, done in an environment of their own as far as no container is needed."""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import venv
from pathlib import Path

import pytest

from pipelines_project_tests.deploy.compose_file import ROOT, services

_FILE = ROOT / "Dockerfile"
_FOR_DEVELOPERS = {"bench", "dev", "dg", "docs", "embedded-elt", "query", "sandbox"}


def _instructions(name: str) -> list[str]:
    joined = _FILE.read_text(encoding="utf-8").replace("\\\n", " ")
    return re.findall(rf"^{name} +(.*)$", joined, re.M)


def test_it_has_every_extra_that_is_not_for_developers_at_the_pinned_versions() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    [installed] = [each for each in _instructions("RUN") if ".[" in each]
    [extras] = re.findall(r"\.\[(.*)\]", installed)
    # DuckLake has those of PostgreSQL.
    expected = {*project["optional-dependencies"]} - _FOR_DEVELOPERS - {"postgres"}
    assert {*extras.split(",")} == expected
    assert all(
        "-c constraints.txt" in each for each in _instructions("RUN") if "pip install" in each
    )


def test_it_runs_as_a_user_who_is_not_root_and_tells_its_health() -> None:
    assert _instructions("USER") == ["dagster"]
    [check] = _instructions("HEALTHCHECK")
    [port] = _instructions("EXPOSE")
    assert f'"grpc-health-check", "-p", "{port}"' in check
    [command] = _instructions("CMD")
    assert services()["code"]["command"] == json.loads(command)


def test_what_it_copies_is_in_the_context_and_nothing_else() -> None:
    copied = {name for each in _instructions("COPY") for name in each.split()[:-1]}
    ignored = (ROOT / ".dockerignore").read_text().split("\n")
    kept = {line[1:] for line in ignored if line.startswith("!")}
    assert ".env" not in kept
    for name in copied:
        assert (ROOT / name).exists()
        assert name in kept or any(each.startswith(f"{name}/") for each in kept), name


@pytest.mark.stack
@pytest.mark.long
def test_its_steps_give_a_code_location_that_loads(tmp_path: Path) -> None:
    # The packages are those of this environment: an image has the same ones, by constraints.txt.
    app, built = tmp_path / "app", tmp_path / "venv"
    venv.create(built, with_pip=True)
    [packages] = built.glob("lib/python*/site-packages")
    here = next(path for path in sys.path if path.endswith("site-packages"))
    (packages / "of_this_environment.pth").write_text(here)
    environment = {
        "PATH": f"{built}/bin:{os.environ['PATH']}",
        "PIP_NO_DEPS": "1",
        "HOME": str(tmp_path),
        "DAGSTER_HOME": str(tmp_path),
        "STRICT_DEFINITIONS": "1",
    }
    app.mkdir()
    for instruction, words in re.findall(r"^(COPY|RUN) +(.*)$", _FILE.read_text(), re.M):
        _do(instruction, words, app, environment)
    [command] = _instructions("CMD")
    module = json.loads(command)[4]
    validate = ["python", "-W", "ignore", "-m", "dagster", "definitions", "validate", "-m", module]
    subprocess.run(validate, cwd=app, env=environment, check=True)
    found = subprocess.run(
        ["python", "-c", "import pipelines_project as p; print(p.__file__)"],
        **{"cwd": tmp_path, "env": environment, "check": True, "capture_output": True},
    )
    assert found.stdout.decode().strip() == str(app / "pipelines_project" / "__init__.py")


def _do(instruction: str, words: str, app: Path, environment: dict[str, str]) -> None:
    """Do a step below a folder, but for the user and the files of the instance."""
    if instruction == "COPY" and "/app/home" not in words:
        *names, target = words.split()
        for name in names:
            source, destination = ROOT / name, app / target
            if source.is_dir():
                shutil.copytree(source, destination, dirs_exist_ok=True)
            else:
                shutil.copy(source, destination)
    elif instruction == "RUN" and "useradd" not in words:
        subprocess.run(["sh", "-c", words], cwd=app, env=environment, check=True)
