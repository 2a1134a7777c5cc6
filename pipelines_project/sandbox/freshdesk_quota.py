"""The rate limit of the Freshdesk sandbox."""

import math
import time
from dataclasses import dataclass, field


@dataclass
class Quota:
    """So many credits in a window of time, and on demand a refusal every now and then.

    Attributes:
        total: The credits of a window.
        window_seconds: After so long the count begins anew.
        refuse_every: Refuse each request whose number this divides; None refuses by credits only.
        retry_after: What such a refusal asks for.
        requests: The requests so far, refused ones included.
    """

    total: int = 4000
    window_seconds: float = 60.0
    refuse_every: int | None = None
    retry_after: str = "1"
    requests: int = 0
    _used: int = 0
    _began: float = field(default_factory=time.monotonic)

    def refusal(self, cost: int) -> str | None:
        """Count a request, and return the `Retry-After` of its refusal, or None if it may pass."""
        self.requests += 1
        passed = time.monotonic() - self._began
        if passed >= self.window_seconds:
            self._used, self._began, passed = 0, time.monotonic(), 0.0
        if self.refuse_every and self.requests % self.refuse_every == 0:
            return self.retry_after
        self._used += cost
        return str(math.ceil(self.window_seconds - passed)) if self._used > self.total else None

    def headers(self, cost: int) -> dict[str, str]:
        """What every answer says of the quota."""
        return {
            "X-RateLimit-Total": str(self.total),
            "X-RateLimit-Remaining": str(max(self.total - self._used, 0)),
            "X-RateLimit-Used-CurrentRequest": str(cost),
        }
