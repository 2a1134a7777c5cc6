"""Asking an API only for what changed since a month was landed."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from pydantic import Field, field_validator, model_validator

from pipelines_project.months import month_start, next_month
from pipelines_project.sources.fetch import Fetch
from pipelines_project.sources.http.api_calls import ApiCalls, SourceError
from pipelines_project.sources.placeholders import each_text
from pipelines_project.sources.secrets import refuse_literals
from pipelines_project.sources.settings_model import SettingsModel

_SINCE = re.compile(r"\{since(?::([^{}]*))?\}")
_MARK, _MADE_FOR = "changed until", "settings"
# Later numbers are milliseconds: as seconds they would lie in the year 5138.
_MOST_SECONDS = 100_000_000_000


class ChangeCursor(SettingsModel):
    """The column that says when a row changed last, and how to ask for rows by it."""

    column: str = Field(
        description="The field of a row that says when it changed last: ISO text, or Unix time."
    )
    params: dict[str, Any] = Field(
        description="The parameters, beside those of the endpoint or in their place, that ask for "
        "what changed since: {updated_since: '{since}'}. {since} is ISO text in UTC; a format may "
        "follow, as in {since:%s}."
    )
    overlap_seconds: float = Field(
        default=120,
        description="How much earlier than the last change is asked for: a change may show late.",
    )

    _has_no_secret = field_validator("params")(refuse_literals)

    @field_validator("overlap_seconds")
    @classmethod
    def _is_not_negative(cls, seconds: float) -> float:
        if seconds < 0:
            raise ValueError("must be at least 0")
        return seconds

    @model_validator(mode="after")
    def _asks_since(self) -> Self:
        if self.asked(datetime(2000, 1, 1, tzinfo=UTC)) == self.params:
            raise ValueError("params must have {since} in one of its texts")
        return self

    def asked(self, since: datetime) -> dict[str, Any]:
        """Return the parameters that ask for what changed since an instant."""

        def instant(match: re.Match[str]) -> str:
            template = (match[1] or "%Y-%m-%dT%H:%M:%SZ").replace("%s", str(int(since.timestamp())))
            return since.strftime(template)

        return each_text(self.params, lambda text: _SINCE.sub(instant, text))


class Changes:
    """One fetching of a month, whole or what changed in it, and until when its rows changed."""

    def __init__(
        self, cursor: ChangeCursor, month: str, made_for: str, fetch: Fetch, calls: ApiCalls
    ) -> None:
        """Tell whether the month goes on and was landed, in which case changes are enough.

        Args:
            cursor: how they are asked for.
            month: the month; a closed one is fetched whole.
            made_for: a digest of the settings that the rows depend on.
            fetch: what is known of the current load.
            calls: tells when the run began.
        """
        self._cursor, self._fetch = cursor, fetch
        self._latest, self._made_for = calls.began_at, made_for
        self.since: datetime | None = None
        mark = fetch.facts_before.get(_MARK)
        goes_on = calls.began_at < month_start(next_month(month))
        if mark and goes_on and fetch.facts_before.get(_MADE_FOR) == made_for:
            self.since = datetime.fromisoformat(mark) - timedelta(seconds=cursor.overlap_seconds)
            self._keep(datetime.fromisoformat(mark))

    @property
    def params(self) -> Mapping[str, Any]:
        """The parameters that ask for the changes; none if all is asked for."""
        return self._cursor.asked(self.since) if self.since else {}

    def noted(self, row: Any) -> Any:
        """Return a row, and keep for the next time when it changed.

        Raises:
            SourceError: it does not say when.
        """
        moment = changed_at(row, self._cursor.column)
        mark = self._fetch.facts.get(_MARK)
        if mark is None or moment > datetime.fromisoformat(mark):
            self._keep(moment)
        return row

    def _keep(self, moment: datetime) -> None:
        # A service whose clock is ahead would hide what changes until then.
        mark = min(moment, self._latest)
        self._fetch.facts.update({_MARK: mark.isoformat(), _MADE_FOR: self._made_for})


def changed_at(row: object, column: str) -> datetime:
    """Return when a row changed last, in UTC.

    Raises:
        SourceError: it does not say so.
    """
    said: Any = row
    value: Any = said.get(column) if isinstance(row, dict) else None
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value / (1000 if value > _MOST_SECONDS else 1), UTC)
        moment = datetime.fromisoformat(str(value))
    except (TypeError, ValueError, OverflowError, OSError):
        raise SourceError(
            f"{str(said)[:80]!r} has {str(value)[:80]!r} in {column}, which is no time: correct "
            "cursor.column, or set refetch: all"
        ) from None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
