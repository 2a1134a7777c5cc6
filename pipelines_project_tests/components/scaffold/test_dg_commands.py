"""Dagster's `dg`: it lists, checks, inspects and scaffolds the components of the project."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

pytestmark = pytest.mark.stack

PROJECT = Path(__file__).parents[3]
SQL_TABLES = "pipelines_project.components.SqlTables"


def dg(project: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    program = str(Path(sys.executable).with_name("dg"))
    environment = {**os.environ, **settings, "PYTHONPATH": str(project)}
    return subprocess.run(
        [program, *arguments],
        cwd=project,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project, into which can be written, and a shop in SQLite beside it."""
    folder = tmp_path_factory.mktemp("project")
    for name in ("pyproject.toml", "pipelines_project", "pipelines_project_tests"):
        subprocess.run(["cp", "-r", str(PROJECT / name), str(folder)], check=True)
    with closing(sqlite3.connect(folder / "shop.sqlite")) as shop:
        shop.execute("create table orders (id integer primary key, created_at datetime not null)")
    return folder


@pytest.mark.long
def test_dg_scaffolds_a_document_that_it_finds_right(project: Path) -> None:
    url = f"sqlite:///{project}/shop.sqlite"
    shop = ("scaffold", "defs", SQL_TABLES, "shop", "--start-month", "2023-01")
    done = dg(project, *shop, "--connection", "SHOP_URL", SHOP_URL=url)
    assert done.returncode == 0, done.stderr

    for command in (["check", "yaml"], ["check", "defs"], ["list", "components"]):
        done = dg(project, *command, STRICT_DEFINITIONS="1")
        assert done.returncode == 0, done.stdout + done.stderr


def test_dg_refuses_what_the_scaffold_refuses_without_its_url(project: Path) -> None:
    url = f"sqlite:///{project}/shop.sqlite"
    shop = ("scaffold", "defs", SQL_TABLES, "refused", "--start-month", "2023-01")

    refused = dg(project, *shop, "--connection", url)

    assert refused.returncode == 1
    assert "must be the name of an environment variable" in refused.stderr
    assert "shop.sqlite" not in refused.stderr


def test_dg_inspects_a_component_with_every_attribute(project: Path) -> None:
    done = dg(project, "utils", "inspect-component", SQL_TABLES)
    assert done.returncode == 0, done.stderr
    for said in ("month_column", "environment variable that holds", "start_month", "pattern"):
        assert said in done.stdout
