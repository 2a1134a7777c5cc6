"""Who can reach what `make dev` starts."""

from collections.abc import Iterator

import pytest
import requests

from pipelines_project_tests.ui.dev import Dev, make_dev

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def dev(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dev]:
    with make_dev(tmp_path_factory.mktemp("dev")) as running:
        yield running


def test_the_ui_answers_on_this_machines_own_address_only(dev: Dev) -> None:
    assert requests.get(dev.url, timeout=30).ok

    with pytest.raises(requests.ConnectionError):
        requests.get(dev.url.replace("127.0.0.1", "127.0.0.2"), timeout=30)


def test_no_other_page_may_read_its_answers(dev: Dev) -> None:
    answer = requests.get(
        f"{dev.url}/graphql",
        params={"query": "{ version }"},
        headers={"Origin": "http://elsewhere.example"},
        timeout=30,
    )

    assert answer.json()["data"]["version"]
    assert [name for name in answer.headers if name.startswith("access-control")] == []
