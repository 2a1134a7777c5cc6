"""What is known of runs and checks; whoever keeps a history of runs fills it in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Failure:
    """The newest run that failed in a table or mart.

    Attributes:
        at: when, in seconds since 1970.
        run_id: the run.
        kind: the type of the error.
        text: what it says, if that was written to be read.
    """

    at: float
    run_id: str
    kind: str = ""
    text: str = ""

    def told(self, what: str) -> str:
        """Return as a sentence that the work failed, why, and in which run."""
        return f"{what} failed (run {self.run_id[:8]}): {self.text or self.kind}"


@dataclass(frozen=True)
class Check:
    """What became of a check.

    Attributes:
        name: the truth that it states.
        passed: whether it holds everywhere.
        at: when that was last looked at, in seconds since 1970.
        months: where it does not hold, as far as it tells months apart.
    """

    name: str
    passed: bool
    at: float
    months: Sequence[str] = ()


@dataclass(frozen=True)
class AssetHistory:
    """What is known of one asset.

    Attributes:
        failed: the months that have failed and were not materialized since; "" where there are
            no months.
        last_error: the newest failure, mended or not.
        checks: what became of each.
        made_at: when it was last materialized, in seconds since 1970.
    """

    failed: Mapping[str, Failure] = field(default_factory=dict[str, Failure])
    last_error: Failure | None = None
    checks: Sequence[Check] = ()
    made_at: float | None = None


NOTHING_KNOWN = AssetHistory()

History = Mapping[str, AssetHistory]
"""By the name of the asset, such as `landing/chess/games`."""
