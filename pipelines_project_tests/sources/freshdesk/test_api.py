"""The API's address leads nowhere else, its key stays hidden, and bad answers are told apart."""

import json
import time
from base64 import b64encode

import pytest
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from pipelines_project.sandbox.faults import Faults, broken_off, half
from pipelines_project.sandbox.freshdesk import KEY
from pipelines_project.sandbox.help_desk import StoredHelpDesk
from pipelines_project.sources.freshdesk.api import FreshdeskApi, FreshdeskAuth, checked_address
from pipelines_project.sources.freshdesk.pages import NumberedPages
from pipelines_project.sources.http.api_calls import ApiCalls, SourceError
from pipelines_project.sources.http.rate_limit import RateLimit
from pipelines_project_tests.help_desks import asking

_BILLING = {"id": 1, "name": "Billing", "updated_at": "2024-01-01T00:00:00Z"}
_DESK = StoredHelpDesk({"groups": [_BILLING]})


def _groups(api: FreshdeskApi) -> list[list[dict[str, object]]]:
    return list(api.pages("groups", {}, NumberedPages()))


@pytest.mark.parametrize("domain", ["acme", "acme.freshdesk.com", " ACME.Freshdesk.com\n"])
def test_a_domain_is_taken_with_and_without_its_ending(domain: str) -> None:
    assert checked_address(domain) == "https://acme.freshdesk.com/api/v2"


@pytest.mark.parametrize(
    "domain",
    [
        *("acme.example.com", "acme.freshdesk.com.example.com", "example.com/acme", "a.b"),
        *("https://acme.freshdesk.com", "acme@example.com", "example.com#", "example.com?", "-"),
        *("acme.freshdesk.com/x", "acme.freshdesk.com:81", "acme\\example.com", "ácme", "a b"),
    ],
)
def test_a_domain_that_would_lead_elsewhere_is_refused(domain: str) -> None:
    with pytest.raises(ValueError, match=r"FRESHDESK_DOMAIN is .*: give acme"):
        checked_address(domain)


def test_a_domain_that_is_missing_is_named() -> None:
    with pytest.raises(ValueError, match="FRESHDESK_DOMAIN is not set"):
        checked_address("")


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:8765/freshdesk/api/v2/", "https://proxy.example.com/api/v2", "http://[::1]"],
)
def test_an_address_of_ones_own_takes_the_place_of_the_domain(url: str) -> None:
    assert checked_address("acme", url) == url.rstrip("/")


@pytest.mark.parametrize(
    "url",
    [
        *("http://example.com/api/v2", "ftp://127.0.0.1", "https://user:pass@example.com", "x"),
        *(
            "http://127.0.0.1@example.com",
            "http://127.0.0.1.example.com",
            "https://a/?b",
            "http://[",
        ),
    ],
)
def test_an_address_that_would_show_the_key_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="FRESHDESK_API_URL is"):
        checked_address("acme", url)


def test_the_key_is_sent_as_freshdesk_wants_it() -> None:
    faults = Faults()
    with asking(_DESK, key=f"{KEY}\n", faults=faults) as api:
        assert _groups(api) == [[_BILLING]]

    sent = faults.requests[0].headers["authorization"]
    assert sent == f"Basic {b64encode(f'{KEY}:X'.encode()).decode()}"


def test_a_missing_key_is_named() -> None:
    with pytest.raises(ValueError, match="FRESHDESK_API_KEY is not set"):
        FreshdeskApi("https://acme.freshdesk.com/api/v2", " ", ApiCalls(), RateLimit())


def test_the_key_is_not_in_what_python_shows_of_the_authentication() -> None:
    auth = FreshdeskAuth("a-secret")

    assert "secret" not in f"{auth!r} {auth}"


@pytest.mark.parametrize(
    ("status", "explanation"),
    [
        (401, "does not know the key: correct FRESHDESK_API_KEY"),
        (403, "refuses to list groups: FRESHDESK_API_KEY must be the key of an agent"),
        (404, "has no help desk, or no groups: correct FRESHDESK_DOMAIN"),
        (400, r"Freshdesk refuses .*/groups.*the reason"),
    ],
)
def test_an_answer_that_no_retry_mends_is_an_error_at_once(status: int, explanation: str) -> None:
    faults = Faults()
    faults.answer_always("groups", PlainTextResponse("the reason", status))
    started = time.monotonic()
    with (
        asking(_DESK, faults=faults) as api,
        pytest.raises(SourceError, match=explanation) as error,
    ):
        _groups(api)

    assert len(faults.requests) == 1
    assert time.monotonic() - started < 5
    assert KEY not in str(error.value)


def test_a_wrong_key_is_an_error() -> None:
    with (
        asking(_DESK, key="wrong-key") as api,
        pytest.raises(SourceError, match="correct FRESHDESK_API_KEY") as error,
    ):
        _groups(api)

    assert "wrong-key" not in str(error.value)


def test_a_redirect_to_another_host_is_refused() -> None:
    faults, elsewhere = Faults(), Faults()
    with asking(_DESK, faults=elsewhere), asking(_DESK, faults=faults) as api:
        faults.answer_always("groups", RedirectResponse("http://localhost:1/api/v2/groups"))
        with pytest.raises(
            SourceError, match=r"localhost:1/.*which is not asked: correct the address of the API"
        ):
            _groups(api)


def test_a_redirect_to_another_path_is_followed() -> None:
    faults = Faults()
    faults.answer_next("api/v2/groups", RedirectResponse("/api/v2/groups?page=1"))
    with asking(_DESK, faults=faults) as api:
        assert _groups(api) == [[_BILLING]]


@pytest.mark.parametrize("body", ["<html>Sign in</html>", '{"message": "no"}', "null", ""])
def test_an_answer_that_is_no_list_is_not_taken_for_an_empty_one(body: str) -> None:
    faults = Faults()
    faults.answer_always("groups", PlainTextResponse(body))
    with asking(_DESK, faults=faults) as api, pytest.raises(SourceError, match="which is no list"):
        _groups(api)


def test_a_fault_that_passes_is_tried_again() -> None:
    faults, calls = Faults(), ApiCalls()
    body = json.dumps([_BILLING]).encode()
    faults.answer_next("groups", Response(status_code=503), broken_off(body))
    with asking(_DESK, calls, faults=faults) as api:
        assert _groups(api) == [[_BILLING]]

    assert calls.count == 3


def test_half_a_list_is_an_error() -> None:
    faults = Faults()
    faults.answer_always("groups", half(json.dumps([_BILLING]).encode()))
    with asking(_DESK, faults=faults) as api, pytest.raises(ValueError, match="Unterminated"):
        _groups(api)
