"""The app of Celery workers."""

import importlib
import sys
from pathlib import Path

import pytest


@pytest.mark.stack
def test_a_worker_whose_instance_has_another_launcher_says_which_it_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    monkeypatch.delitem(sys.modules, "pipelines_project.celery_app", raising=False)

    with pytest.raises(SystemExit, match=r"is DefaultRunLauncher.*LockAwareCeleryRunLauncher"):
        importlib.import_module("pipelines_project.celery_app")
