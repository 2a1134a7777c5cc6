"""What `docs/security.md` says of secrets, permissions, addresses and telemetry."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
import requests
import yaml

from pipelines_project.sandbox.server import serving
from pipelines_project.sandbox.services import service_settings, services_app
from pipelines_project.temporary import working_folder

_ROOT = Path(__file__).parents[1]
_WRONG_KEY = "a-wrong/key+of the help desk"


@pytest.fixture(scope="module")
def services() -> Iterator[str]:
    with serving(services_app(games_per_month=5)) as url:
        yield url


def _materialize(
    folder: Path, services: str, selection: str, umask: int = -1, **settings: str
) -> subprocess.CompletedProcess[str]:
    """Run Dagster's command with an instance, a landing zone and a warehouse below a folder."""
    home = folder / "dagster"
    home.mkdir()
    shutil.copy(_ROOT / "data" / "dagster" / "dagster.yaml", home)
    places = {
        "DAGSTER_HOME": str(home),
        "LANDING_URL": str(folder / "landing"),
        "WAREHOUSE_URL": str(folder / "warehouse.duckdb"),
        "REPORT_PATH": str(folder / "report.html"),
        "TMPDIR": str(folder),
        "CHESS_CONTACT": "tests@example.com",
        "CHESS_START_MONTH": "2024-01",
    }
    command = ["dagster", "asset", "materialize", "-m", "pipelines_project.definitions"]
    return subprocess.run(
        [sys.executable, "-m", *command, "--select", selection, "--partition", "2024-01"],
        cwd=_ROOT,
        env={**os.environ, **places, **service_settings(services), **settings},
        capture_output=True,
        text=True,
        umask=umask,
        check=False,
    )


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.mark.stack
def test_with_a_strict_umask_others_can_read_nothing_that_a_run_writes(
    tmp_path: Path, services: str
) -> None:
    done = _materialize(tmp_path, services, "group:chess or key:report", umask=0o077)

    assert done.returncode == 0, done.stderr[-3000:]
    # The instance's folder and its settings were there before the run.
    written = {path for path in tmp_path.rglob("*") if path.name not in ("dagster", "dagster.yaml")}
    names = {path.name for path in written}
    assert {"warehouse.duckdb", "report.html", "openings.parquet", "runs.db"} <= names
    assert {path for path in written if path.stat().st_mode & 0o077} == set()


@pytest.mark.stack
def test_a_refused_key_and_a_refused_password_are_in_nothing_that_is_left(
    tmp_path: Path, services: str
) -> None:
    password = "the-password-of-the-warehouse"
    done = _materialize(
        tmp_path,
        services,
        'key:"landing/freshdesk/tickets" or key:"warehouse/freshdesk/contacts"',
        FRESHDESK_API_KEY=_WRONG_KEY,
        WAREHOUSE_URL=f"postgres:host=127.0.0.1 port=1 user=loader password={password}",
    )

    assert done.returncode == 1
    assert "does not know the key: correct FRESHDESK_API_KEY" in done.stderr
    assert "cannot open the warehouse" in done.stderr
    basic = b64encode(f"{_WRONG_KEY}:X".encode()).decode()
    forms = [_WRONG_KEY, quote(_WRONG_KEY), quote(_WRONG_KEY, safe=""), basic, password]
    left = {str(path): path.read_bytes() for path in _files(tmp_path)}
    left["output"] = (done.stdout + done.stderr).encode()
    assert len(left) > 5
    assert [name for name, held in left.items() for form in forms if form.encode() in held] == []


def test_a_run_works_in_a_folder_that_is_its_users_only() -> None:
    before = os.umask(0)
    try:
        with working_folder() as folder:
            assert Path(folder).stat().st_mode & 0o777 == 0o700
    finally:
        os.umask(before)


@pytest.mark.parametrize("file", [".env", ".dlt/secrets.toml", "data/dagster/history/runs.db"])
def test_git_ignores_files_of_secrets_and_the_history(file: str) -> None:
    if not (_ROOT / ".git").exists():
        pytest.skip("this is no checkout of Git")
    command = ["git", "-C", str(_ROOT), "check-ignore", "--no-index", file]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0


def test_the_sandbox_answers_on_this_machines_own_address_only(services: str) -> None:
    port = services.rpartition(":")[2]

    assert requests.get(services, timeout=5).status_code == 404
    with pytest.raises(requests.ConnectionError):
        requests.get(f"http://127.0.0.2:{port}", timeout=5)


def test_no_telemetry_is_sent() -> None:
    dagster = yaml.safe_load((_ROOT / "data" / "dagster" / "dagster.yaml").read_text())
    dlt = tomllib.loads((_ROOT / ".dlt" / "config.toml").read_text())

    assert dagster["telemetry"] == {"enabled": False}
    assert dlt["runtime"]["dlthub_telemetry"] is False


def test_every_test_that_the_page_names_is_there() -> None:
    text = (_ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    named = re.findall(r"`((?:\w+/)*test_\w+\.py|\w+/\w+/(?=`))", text)

    assert len(named) > 5
    assert [each for each in named if not (Path(__file__).parent / each).exists()] == []
