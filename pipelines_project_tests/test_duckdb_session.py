"""A DuckDB of one's own spills where no other process does."""

from pathlib import Path

import pytest

from pipelines_project.temporary import duckdb_session

_SETTING = "select current_setting('temp_directory')"


@pytest.mark.stack
def test_each_session_spills_into_a_folder_of_its_own_that_goes_with_it() -> None:
    with duckdb_session() as one, duckdb_session() as other:
        folders = [Path(each.execute(_SETTING).fetchall()[0][0]) for each in (one, other)]
        one.execute("set memory_limit = '40MB'; set threads = 1")
        one.execute(
            "create table t as select range as n, md5(range::varchar) as s from range(1_500_000)"
        )

        assert folders[0] != folders[1]
        assert any(path.name.startswith("duckdb_temp") for path in folders[0].iterdir())
        assert list(folders[1].iterdir()) == []
    assert not any(folder.exists() for folder in folders)
