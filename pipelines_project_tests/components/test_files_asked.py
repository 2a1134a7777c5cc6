"""Files are asked by comparing them with those that a month was made from."""

import os
from pathlib import Path

from pipelines_project.components.files import LocalJsonlSource
from pipelines_project.landing.zone import LandingZone
from pipelines_project.sources.files.raw_files import fingerprint
from pipelines_project.sources.http.api_calls import ApiCalls
from pipelines_project_tests.json_lines import jsonl, write_lines
from pipelines_project_tests.jsonl_location import attributes

_MONTH = "2024-01"


def test_a_month_has_changed_when_one_of_its_files_has(tmp_path: Path) -> None:
    source = LocalJsonlSource(**attributes(tmp_path / "raw"))
    [table] = source.monthly_tables()
    file = write_lines(tmp_path / "raw", jsonl({"v": 1}), month=_MONTH)
    asker = source.asker(table, ApiCalls(), LandingZone(str(tmp_path / "landing")))
    assert asker(_MONTH, {}) is None
    assert asker(_MONTH, {"fingerprint": "of other files"}) is True
    [settings] = [each.settings(source.raw_url) for each in source.file_tables()]
    facts = {"fingerprint": fingerprint(settings.folder.files(_MONTH))}

    assert asker(_MONTH, facts) is False
    os.utime(file, (1, 1))
    assert asker(_MONTH, facts) is True
