"""What an alert says: a title, what it is about, and where to look."""

from collections.abc import Sequence
from dataclasses import dataclass

# What is longer is read where the link leads to.
_MOST_OF_REASON = 1500
_MOST_MATTERS = 20


@dataclass(frozen=True)
class Matter:
    """One of the things that an alert is about.

    Attributes:
        what: a table, mart, check or job.
        reason: why, as the run says it.
        months: which of its months; "" if it is not about months.
    """

    what: str
    reason: str
    months: str = ""

    @property
    def text(self) -> str:
        """The matter as lines: its name with the months, and the reason below."""
        reason = self.reason.strip()
        if len(reason) > _MOST_OF_REASON:
            reason = f"{reason[:_MOST_OF_REASON]} …"
        return "\n".join([" ".join(filter(None, [self.what, self.months])), reason]).strip()


@dataclass(frozen=True)
class Alert:
    """A message to people.

    Attributes:
        title: what has happened, in one line.
        matters: what it is about.
        link: where to look.
    """

    title: str
    matters: Sequence[Matter]
    link: str

    @property
    def text(self) -> str:
        """All that is said below the title."""
        told = [matter.text for matter in self.matters[:_MOST_MATTERS]]
        if left := len(self.matters) - len(told):
            told.append(f"and {left} more")
        return "\n\n".join([*told, self.link])
