"""The Freshdesk sandbox answers as Freshdesk does."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from pipelines_project.sandbox.freshdesk import KEY, freshdesk_app
from pipelines_project.sandbox.freshdesk_quota import Quota
from pipelines_project.sandbox.help_desk import StoredHelpDesk, recorded_help_desk
from pipelines_project.sandbox.server import serving

_NOW = datetime(2024, 6, 15, tzinfo=UTC)


def _ticket(number: int, days_ago: int, **fields: Any) -> dict[str, Any]:
    day = (_NOW - timedelta(days=days_ago)).strftime("%Y-%m-%dT%H:%M:%SZ")
    more = {"stats": {}, "requester": {}, "description": "", "description_text": ""}
    return {"id": number, "created_at": day, "updated_at": day, **more, **fields}


_DESK = StoredHelpDesk(
    {
        "tickets": [
            *(_ticket(n, days_ago=10 + n % 7) for n in range(1, 46)),
            _ticket(100, days_ago=40),
            _ticket(101, days_ago=2, spam=True),
            _ticket(102, days_ago=3, deleted=True),
            _ticket(103, days_ago=50, deleted=True, spam=True),
        ],
        "contacts": [
            {"id": 1, "name": "Zoe", "updated_at": "2024-06-01T00:00:00Z", "description": "x"},
            {"id": 2, "name": "Abe", "updated_at": "2024-05-01T00:00:00Z"},
            {"id": 3, "name": "Bo", "updated_at": "2024-06-01T00:00:00Z", "blocked": True},
            {"id": 4, "name": "Cy", "updated_at": "2024-06-01T00:00:00Z", "deleted": True},
        ],
        "agents": [{"id": 7, "updated_at": "2024-06-01T00:00:00Z"}],
    },
    now=_NOW,
)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serving(freshdesk_app(_DESK, page_cap=4)) as address:
        yield f"{address}/api/v2"


def _get(url: str, key: str = KEY, **parameters: Any) -> requests.Response:
    return requests.get(url, params=parameters, auth=(key, "X"), timeout=5)


def _ids(answer: requests.Response) -> list[int]:
    return [row["id"] for row in answer.json()]


def test_only_the_key_is_let_in(url: str) -> None:
    assert _get(f"{url}/agents").ok
    assert _get(f"{url}/agents", key="other").status_code == 401
    assert requests.get(f"{url}/agents", auth=(KEY, "Y"), timeout=5).status_code == 401
    assert requests.get(f"{url}/agents", timeout=5).json()["code"] == "invalid_credentials"


@pytest.mark.parametrize("path", ["nothing", "groups", "tickets/1"])
def test_what_there_is_not_is_answered_404(url: str, path: str) -> None:
    assert _get(f"{url}/{path}").status_code == 404


def test_without_a_window_tickets_of_30_days_come_newest_first_30_a_page(url: str) -> None:
    first, second = _get(f"{url}/tickets"), _get(f"{url}/tickets", page=2)

    assert len(_ids(first)) == 30
    assert sorted(_ids(first) + _ids(second)) == list(range(1, 46))
    created = [row["created_at"] for row in first.json()]
    assert created == sorted(created, reverse=True)


def test_pages_name_the_next_one_until_the_last(url: str) -> None:
    first = _get(f"{url}/tickets", per_page=40)
    second = _get(first.links["next"]["url"])

    assert "page=2" in first.links["next"]["url"]
    assert len(_ids(second)) == 5
    assert "next" not in second.links


def test_a_window_opens_at_its_second_and_shows_old_tickets(url: str) -> None:
    start = _ticket(0, days_ago=16)["updated_at"]
    answer = _get(
        f"{url}/tickets", updated_since=start, order_by="updated_at", order_type="asc", per_page=100
    )
    changed = [row["updated_at"] for row in answer.json()]

    assert changed == sorted(changed)
    assert changed[0] == start
    assert 100 in _ids(_get(f"{url}/tickets", updated_since="2024-01-01T00:00:00Z", per_page=100))


@pytest.mark.parametrize(("state", "ids"), [("spam", [101]), ("deleted", [102, 103])])
def test_spam_and_deleted_tickets_are_listed_by_themselves(
    url: str, state: str, ids: list[int]
) -> None:
    assert _ids(_get(f"{url}/tickets", filter=state)) == ids


def test_embedded_objects_come_if_they_are_asked_for_and_cost_credits(url: str) -> None:
    plain = _get(f"{url}/tickets")
    full = _get(f"{url}/tickets", include="description,stats,requester")

    assert not {"stats", "requester", "description"} & set(plain.json()[0])
    assert {"stats", "requester", "description", "description_text"} <= set(full.json()[0])
    assert plain.headers["X-RateLimit-Used-CurrentRequest"] == "1"
    assert full.headers["X-RateLimit-Used-CurrentRequest"] == "7"


@pytest.mark.parametrize(
    ("parameters", "field"),
    [
        ({"page": 5}, "page"),
        ({"page": 0}, "page"),
        ({"per_page": 101}, "per_page"),
        ({"filter": "mine"}, "filter"),
        ({"order_by": "subject"}, "order_by"),
        ({"updated_since": "yesterday"}, "updated_since"),
        ({"_updated_since": "2024-01-01"}, "_updated_since"),
    ],
)
def test_a_parameter_that_is_not_right_is_answered_400(
    url: str, parameters: dict[str, Any], field: str
) -> None:
    answer = _get(f"{url}/tickets", **parameters)

    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == [field]


def test_contacts_come_by_name_and_by_state(url: str) -> None:
    assert _ids(_get(f"{url}/contacts")) == [2, 1]
    assert _ids(_get(f"{url}/contacts", _updated_since="2024-06-01T00:00:00Z")) == [1]
    assert _ids(_get(f"{url}/contacts", state="blocked")) == [3]
    assert _ids(_get(f"{url}/contacts", state="deleted")) == [4]
    assert _get(f"{url}/contacts").json()[1]["description"] == "x"


def test_credits_run_out_and_come_back() -> None:
    with serving(freshdesk_app(_DESK, quota=Quota(total=9, window_seconds=1))) as address:
        answers = [_get(f"{address}/api/v2/tickets", include="stats") for _ in range(4)]

        assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
        remaining = [answer.headers.get("X-RateLimit-Remaining") for answer in answers]
        assert remaining == ["6", "3", "0", None]
        assert answers[-1].headers["Retry-After"] == "1"


def test_every_so_many_requests_can_be_refused() -> None:
    quota = Quota(refuse_every=3, retry_after="17")
    with serving(freshdesk_app(_DESK, quota=quota)) as address:
        answers = [_get(f"{address}/api/v2/agents") for _ in range(6)]

    assert [answer.status_code for answer in answers] == [200, 200, 429] * 2
    assert answers[2].headers["Retry-After"] == "17"


def test_recorded_answers_are_served(tmp_path: Path) -> None:
    rows = [{"id": 1, "created_at": "2021-04-09T12:00:00Z", "updated_at": "2021-04-09T12:00:00Z"}]
    (tmp_path / "tickets.json").write_text(json.dumps(rows))
    with serving(freshdesk_app(recorded_help_desk(tmp_path))) as address:
        answer = _get(f"{address}/api/v2/tickets", updated_since="2021-01-01T00:00:00Z")

        assert answer.json() == rows
        assert _get(f"{address}/api/v2/roles").json() == []
        assert _get(f"{address}/api/v2/groups").status_code == 404
