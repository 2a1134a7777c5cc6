"""What the tests of `landing/` stand on: a landing zone on the disk, and one that is not."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import fsspec
import pytest

from pipelines_project.landing.zone import LandingZone


@pytest.fixture(params=["local disk", "memory"])
def zone(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[LandingZone]:
    """An empty landing zone on the local disk, and one on another filesystem of fsspec."""
    if request.param == "memory":
        folder = f"memory://{uuid4().hex}"
        yield LandingZone(url=f"{folder}/landing")
        fs, path = fsspec.url_to_fs(folder)
        if fs.exists(path):
            fs.rm(path, recursive=True)
    else:
        yield LandingZone(url=str(tmp_path / "landing"))
