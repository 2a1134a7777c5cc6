"""What a channel has told, and how often it has failed: the cursor of its sensor."""

from dataclasses import dataclass, field

from pydantic import TypeAdapter

MOST_FAILURES = 12
"""How often an alert is tried. The waits between double up to an hour, so that is half a day."""
MOST_SINGLE = 5
"""How many messages, each about one run, come at once or in an hour before they become one."""
_HOUR, _COLLECTED = 3600.0, 900.0
_FIRST_WAIT, _LONGEST_WAIT = 60.0, 3600.0
# A run that ends is recorded by its own process, which may be a little late.
_OVERLAP = 600.0


@dataclass
class Told:
    """The state of one channel.

    Attributes:
        since: runs that changed before this are told or need no telling, in seconds since 1970.
        runs: those after it that are told, by their ids, with when they changed.
        checks: for each check that failed when it was last told, where.
        stale: the tables that were told to be stale.
        failures: how often the alert that is due has failed.
        not_before: when it is tried again, in seconds since 1970.
        given_up: how many alerts were given up since one was delivered.
        delivered: when those of the last hour were delivered, in seconds since 1970.
    """

    since: float
    runs: dict[str, float] = field(default_factory=dict[str, float])
    checks: dict[str, str] = field(default_factory=dict[str, str])
    stale: list[str] = field(default_factory=list[str])
    failures: int = 0
    not_before: float = 0
    given_up: int = 0
    delivered: list[float] = field(default_factory=list[float])

    def note_run(self, run_id: str, changed_at: float) -> None:
        """Note that all is said of a run; of those long before none needs to be remembered."""
        self.runs[run_id] = changed_at
        self.since = max(self.since, changed_at - _OVERLAP)
        self.runs = {each: at for each, at in self.runs.items() if at >= self.since}

    def note_delivery(self, now: float) -> None:
        """Note that an alert was delivered."""
        self.failures, self.not_before, self.given_up = 0, 0.0, 0
        self.delivered = [*self.delivered_since(now), now]

    def delivered_since(self, now: float) -> list[float]:
        """Return when the alerts of the last hour were delivered."""
        return [at for at in self.delivered if now - at < _HOUR]

    def is_collecting(self, now: float) -> bool:
        """Tell whether so much was told in the last hour that what is new waits for more."""
        recent = self.delivered_since(now)
        return len(recent) >= MOST_SINGLE and now - recent[-1] < _COLLECTED

    def note_failure(self, now: float) -> bool:
        """Note that an alert could not be delivered; return whether it is given up."""
        self.failures += 1
        wait = min(_FIRST_WAIT * 2 ** (self.failures - 1), _LONGEST_WAIT)
        self.not_before = now + wait
        if self.failures < MOST_FAILURES:
            return False
        # The server has been down for long: the next alert has one try, and each after it.
        self.failures, self.given_up = MOST_FAILURES - 1, self.given_up + 1
        return True

    @property
    def text(self) -> str:
        """The state as a text."""
        return _JSON.dump_json(self).decode()


_JSON = TypeAdapter(Told)


def told_before(text: str | None, now: float) -> Told:
    """Return the state that a text holds; without one, what happened before now is told."""
    return _JSON.validate_json(text) if text else Told(since=now)
