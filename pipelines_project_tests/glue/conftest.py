"""What the tests of publishing stand on: a landing zone in a bucket, and a database of Glue."""

import pytest

from pipelines_project.landing.zone import LandingZone
from pipelines_project_tests.glue.athena import Athena, athena_of
from pipelines_project_tests.object_store import Gate


@pytest.fixture
def zone(store: Gate) -> LandingZone:
    """An empty landing zone in a bucket of its own."""
    return LandingZone(url=f"s3://{store.bucket()}/landing")


@pytest.fixture
def athena(store: Gate) -> Athena:
    """An empty database."""
    return athena_of(store)
