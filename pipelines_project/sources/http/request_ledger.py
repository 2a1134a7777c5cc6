"""The requests of an account in a window of time, of all runs that share one limit."""

import os
import tempfile
import time
import uuid
from functools import cache
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import IntegrityError
from tenacity import retry, retry_if_exception_type, stop_after_attempt

# Two sources may name one account with windows of their own.
_KEPT_SECONDS = 3600.0
_LOCK_TIMEOUT_SECONDS = 60.0

_TABLES = (
    "create table if not exists rate_limits "
    "(account text primary key, not_before double precision not null)",
    "create table if not exists rate_limit_requests (id text primary key, account text not null, "
    "at double precision not null, credits integer not null)",
    "create index if not exists rate_limit_requests_by_time on rate_limit_requests (account, at)",
    # A null is a service that has answered and told of no limit.
    "create table if not exists rate_limit_totals (account text primary key, total integer)",
)
# The first statement of each transaction: one run after the other looks and enters.
_LOCK = (
    "update rate_limits set not_before = not_before where account = :account returning not_before"
)
_SINCE = "from rate_limit_requests where account = :account and at > :since"
_FORGET = "delete from rate_limit_requests where account = :account and at <= :since"
_ENTER = "insert into rate_limit_requests values (:id, :account, :now, :credits)"
_TOLD = (
    "insert into rate_limit_totals values (:account, :total) on conflict (account) "
    "do update set total = coalesce(excluded.total, rate_limit_totals.total)"
)
_ANSWERED = "update rate_limit_requests set at = :now, credits = :credits where id = :id"


class RequestLedger:
    """Who asks enters each request before it is sent, and waits while the window is full.

    A request counts from when it was entered, and once it is answered from then, so that the
    service has counted it no later. One that is never answered, because its run was killed, leaves
    the window like any other.
    """

    def __init__(self, account: str, window_seconds: float, url: str = "") -> None:
        """Open the ledger that all runs of an account share.

        Args:
            account: whose limit it is: the host, and what else tells accounts apart.
            window_seconds: over how long the service counts.
            url: SQLAlchemy's, of its database; by default `RATE_LIMITS_URL`, or else a file of this
                machine and user.
        """
        self._account, self._window = account, window_seconds
        self._engine = _engine(url or os.environ.get("RATE_LIMITS_URL") or _own_file())
        with self._engine.begin() as sql:
            sql.execute(
                sa.text("insert into rate_limits values (:account, 0) on conflict do nothing"),
                {"account": account},
            )

    def enter(self, request: str, cost: int, allowed: float | None) -> float:
        """Enter a request if it may be sent now; else return after how many seconds to try again.

        Args:
            request: from `new_request`.
            cost: what it will count.
            allowed: how many credits the window may hold; None if that is not known.
        """
        with self._engine.begin() as sql:
            now = time.time()
            wait = self._locked(sql) - now
            if wait <= 0 and allowed is not None:
                wait = self._until_room(sql, cost - allowed, now)
            if wait <= 0:
                self._enter(sql, request, cost, now)
        return max(wait, 0.0)

    def told(self) -> list[int | None]:
        """Return what the service last said that its window holds, nothing before any answer."""
        query = sa.text("select total from rate_limit_totals where account = :account")
        with self._engine.connect() as sql:
            return [*sql.execute(query, {"account": self._account}).scalars()]

    def answered(
        self, request: str, cost: int, used: int | None = None, total: int | None = None
    ) -> None:
        """Note the answer to a request, or that there will be none.

        Args:
            request: as it was entered.
            cost: what the service says that it counted.
            used: what the service says is used of its window, where it does. More than is entered
                here was used by others.
            total: what it says that its window holds, where it does.
        """
        with self._engine.begin() as sql:
            self._locked(sql)
            now = time.time()
            values = {"id": request, "now": now, "credits": cost}
            sql.execute(sa.text(_ANSWERED), values)
            sql.execute(sa.text(_TOLD), {"account": self._account, "total": total})
            by_others = used - self._entered(sql, now) if used else 0
            if by_others > 0:
                self._enter(sql, new_request(), by_others, now)

    def put_off(self, seconds: float) -> None:
        """Let no run send a request for so long, because the service has asked for it."""
        later = (
            "update rate_limits set not_before = :until "
            "where account = :account and not_before < :until"
        )
        with self._engine.begin() as sql:
            sql.execute(sa.text(later), {"account": self._account, "until": time.time() + seconds})

    def _locked(self, sql: sa.Connection) -> float:
        """Wait for the runs before this one, and return before when nothing may be sent."""
        return sql.execute(sa.text(_LOCK), {"account": self._account}).scalar_one()

    def _enter(self, sql: sa.Connection, request: str, cost: int, now: float) -> None:
        values = {"id": request, "account": self._account, "now": now, "credits": cost}
        sql.execute(sa.text(_ENTER), values)
        old = {"account": self._account, "since": now - max(self._window, _KEPT_SECONDS)}
        sql.execute(sa.text(_FORGET), old)

    def _entered(self, sql: sa.Connection, now: float) -> int:
        """Return how many credits the window holds."""
        values = {"account": self._account, "since": now - self._window}
        return sql.execute(
            sa.text(f"select coalesce(sum(credits), 0) {_SINCE}"), values
        ).scalar_one()

    def _until_room(self, sql: sa.Connection, over: float, now: float) -> float:
        """Return when enough of the window will have left it, 0 if it has room now."""
        over += self._entered(sql, now)
        values = {"account": self._account, "since": now - self._window}
        wait = 0.0
        if over > 0:
            window = sql.execute(sa.text(f"select at, credits {_SINCE} order by at"), values)
            for at, count in window:
                wait, over = at + self._window - now, over - count
                if over <= 0:
                    break
        return wait


def new_request() -> str:
    """Return the id of a request."""
    return uuid.uuid4().hex


def _own_file() -> str:
    """Return the file of this machine and user, which nobody else may write."""
    folder = Path(tempfile.gettempdir(), f"pipelines_project_rate_limits_{os.getuid()}")
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.stat().st_uid != os.getuid():
        raise PermissionError(f"{folder} belongs to another user: set RATE_LIMITS_URL")
    return f"sqlite:///{folder / 'requests.sqlite'}"


@cache
@retry(retry=retry_if_exception_type(IntegrityError), stop=stop_after_attempt(3), reraise=True)
def _engine(url: str) -> sa.Engine:
    """Return the database with its tables, which another run may be making just now."""
    is_file = sa.make_url(url).get_backend_name() == "sqlite"
    options = {"timeout": _LOCK_TIMEOUT_SECONDS} if is_file else {}
    engine = sa.create_engine(url, connect_args=options, pool_pre_ping=not is_file)
    if is_file:
        event.listen(engine, "connect", _do_not_sync)
    with engine.begin() as sql:
        for statement in _TABLES:
            sql.execute(sa.text(statement))
    return engine


def _do_not_sync(connection: sa.engine.interfaces.DBAPIConnection, _record: object) -> None:
    # What a loss of power takes of it would have left the window before the machine is up again.
    connection.cursor().execute("pragma synchronous = off")
