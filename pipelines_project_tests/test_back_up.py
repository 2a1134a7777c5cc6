"""The page on backups: its commands bring everything back."""

import hashlib
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import dagster as dg
import pytest

from pipelines_project_tests.code_location import LANDING, WAREHOUSE, code_location

pytestmark = pytest.mark.stack

_ROOT = Path(__file__).parents[1]
_PAGE = (_ROOT / "docs" / "back_up.md").read_text(encoding="utf-8")
_ARCHIVE, _RESTORE, *_ = re.findall(r"```console\n(.*?)```", _PAGE, re.S)
_MONTHS = "2024-01...2024-02"


def _digests(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.mark.long
def test_what_was_backed_up_comes_back_as_it_was(tmp_path: Path) -> None:
    history = tmp_path / "data" / "dagster"
    deployed = tmp_path / "pipelines_project" / "defs"
    shutil.copytree(_ROOT / "pipelines_project" / "defs", deployed)
    history.mkdir(parents=True)
    with code_location(tmp_path / "data") as location:
        with dg.DagsterInstance.from_config(str(history)) as instance:
            replace(location, instance=instance).materialize(_MONTHS)
        rows = location.rows_by_month()
        before = _digests(tmp_path)
        subprocess.run(["bash", "-ec", _ARCHIVE], cwd=tmp_path, check=True)
        # All is lost.
        shutil.rmtree(deployed)
        for file in (tmp_path / "data").rglob("*.*"):
            if file.is_file():
                file.write_bytes(b"lost")
        subprocess.run(["bash", "-ec", _RESTORE], cwd=tmp_path, check=True)

        shutil.rmtree(tmp_path / "data.before")
        (tmp_path / "backup.tar.gz").unlink()
        assert _digests(tmp_path) == before
        assert location.rows_by_month() == rows
        with dg.DagsterInstance.from_config(str(history)) as instance:
            restored = replace(location, instance=instance)
            for key in (LANDING, WAREHOUSE):
                assert restored.months_materialized(key) == {"2024-01", "2024-02"}
            checks = restored.check()
    assert checks["landed_files_are_intact"].passed
    assert checks["warehouse_rows_match_landing"].passed


def test_the_landing_zone_alone_brings_the_warehouse_back(tmp_path: Path) -> None:
    with code_location(tmp_path) as location:
        location.materialize(_MONTHS)
        rows = location.rows_by_month()
        (tmp_path / "warehouse.duckdb").unlink()
        job = location.defs.resolve_job_def("chess_rebuild_warehouse")
        config = {"ops": {"chess_rebuild_tables": {"config": {"dry_run": False}}}}

        assert location.run(job, config=config).result.success

        assert location.rows_by_month() == rows
