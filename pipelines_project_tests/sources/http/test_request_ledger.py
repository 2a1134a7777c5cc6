"""Every run of an account enters its requests in one ledger, and none goes over the limit."""

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pipelines_project.sources.http.request_ledger import RequestLedger, new_request
from pipelines_project_tests.databases import emptied_database

_WINDOW = 0.3


@pytest.fixture(params=["file", pytest.param("postgres", marks=pytest.mark.stack)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The database that the ledgers of a test share."""
    if request.param == "file":
        return f"sqlite:///{tmp_path / 'ledger.sqlite'}"
    server = request.getfixturevalue("postgres")
    # A name of its own, because a process keeps its connections.
    url = emptied_database(server, f"ledger_{new_request()}")
    return url.replace("postgresql://", "postgresql+psycopg2://")


def _enter(ledger: RequestLedger, allowed: float, cost: int = 1) -> tuple[float, float]:
    """Enter a request as soon as it may be, and return after when and before when it was."""
    request, asked = new_request(), time.time()
    while wait := ledger.enter(request, cost, allowed):
        time.sleep(wait)
        asked = time.time()
    return asked, time.time()


def _most_in_a_window(times: list[float]) -> int:
    return max(sum(start <= each < start + _WINDOW for each in times) for start in times)


def test_of_many_that_ask_at_once_no_window_holds_more_than_is_allowed(url: str) -> None:
    ledgers = [RequestLedger("acme", _WINDOW, url) for _ in range(4)]
    with ThreadPoolExecutor(4) as threads:
        entered = list(threads.map(lambda n: _enter(ledgers[n % 4], allowed=8), range(24)))

    assert _most_in_a_window(sorted(after for _, after in entered)) <= 8 + 4
    began, ended = min(entered)[0], max(entered)[1]
    assert ended - began >= 2 * _WINDOW


def test_the_window_is_used_up_and_then_free_again(url: str) -> None:
    ledger = RequestLedger("acme", _WINDOW, url)

    assert [ledger.enter(new_request(), 2, allowed=5) for _ in range(2)] == [0, 0]
    wait = ledger.enter(new_request(), 2, allowed=5)
    assert 0 < wait <= _WINDOW
    time.sleep(wait)
    assert ledger.enter(new_request(), 2, allowed=5) == 0


def test_a_request_counts_until_a_window_after_its_answer(url: str) -> None:
    ledger, request = RequestLedger("acme", _WINDOW, url), new_request()
    ledger.enter(request, 1, allowed=1)
    time.sleep(_WINDOW * 0.8)
    ledger.answered(request, 1, used=None)

    assert ledger.enter(new_request(), 1, allowed=1) > _WINDOW * 0.5


def test_a_request_dearer_than_all_that_is_allowed_goes_alone(url: str) -> None:
    ledger = RequestLedger("acme", _WINDOW, url)

    assert ledger.enter(new_request(), 9, allowed=5) == 0
    assert ledger.enter(new_request(), 9, allowed=5) > 0


def test_what_others_have_used_by_the_services_count_is_used(url: str) -> None:
    ledger, request = RequestLedger("acme", _WINDOW, url), new_request()
    ledger.enter(request, 1, allowed=10)
    ledger.answered(request, 1, used=9)

    assert ledger.enter(new_request(), 1, allowed=10) == 0
    assert ledger.enter(new_request(), 1, allowed=10) > 0


def test_what_the_service_asks_one_run_to_wait_all_runs_wait(url: str) -> None:
    first, second = (RequestLedger("acme", _WINDOW, url) for _ in range(2))
    first.put_off(30)
    first.put_off(2)

    assert 28 < second.enter(new_request(), 1, allowed=None) <= 30


def test_accounts_do_not_wait_for_each_other(url: str) -> None:
    RequestLedger("acme", _WINDOW, url).put_off(30)

    assert RequestLedger("other", _WINDOW, url).enter(new_request(), 1, allowed=1) == 0


@pytest.mark.stack
def test_a_run_that_is_killed_holds_nothing_when_the_window_is_over(url: str) -> None:
    killed = (
        "import os, signal\n"
        "from pipelines_project.sources.http.request_ledger import RequestLedger, new_request\n"
        f"ledger = RequestLedger('acme', {_WINDOW}, {url!r})\n"
        "print([ledger.enter(new_request(), 1, 2) for _ in range(2)], flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    run = subprocess.run([sys.executable, "-c", killed], capture_output=True, text=True)
    assert (run.stdout, run.returncode) == ("[0.0, 0.0]\n", -9)

    ledger = RequestLedger("acme", _WINDOW, url)
    assert ledger.enter(new_request(), 2, allowed=2) <= _WINDOW
    time.sleep(_WINDOW)
    assert ledger.enter(new_request(), 2, allowed=2) == 0
