"""How a dlt source is told of a month: by the arguments of its function, or by a cursor."""

from datetime import date, datetime, timedelta
from typing import Any, Literal

from pydantic import Field

from pipelines_project.months import month_start, next_month
from pipelines_project.sources.settings_model import SettingsModel

Form = Literal["text", "date", "datetime"]
_FORM = (
    "How an instant is given: text (an ISO date), date, or datetime (in UTC), as the source takes "
    "it."
)


class Incremental(SettingsModel):
    """The cursor by which a resource's rows are told to be of a month."""

    cursor_path: str = Field(description="The field of a row, as in dlt.sources.incremental.")
    form: Form = Field(default="text", description=_FORM)


class MonthArguments(SettingsModel):
    """The arguments of a function that take a month's window."""

    start: str | None = Field(
        default=None, description="The argument that takes the month's first day."
    )
    end: str | None = Field(
        default=None, description="The argument that takes the first day of the next month."
    )
    last: str | None = Field(
        default=None, description="The argument that takes the month's last day."
    )
    form: Form = Field(default="text", description=_FORM)

    @property
    def names(self) -> dict[str, str]:
        """The arguments by what they take."""
        places = {"start": self.start, "end": self.end, "last": self.last}
        return {place: name for place, name in places.items() if name}

    def values(self, month: str) -> dict[str, Any]:
        """Return the arguments for a month."""
        return {name: instant(month, place, self.form) for place, name in self.names.items()}


def instant(month: str, place: str, form: Form) -> Any:
    """Return one end of a month's window.

    Args:
        month: the month.
        place: `start`, its first instant; `end`, the first after it; `last`, its last day.
        form: how it is given.
    """
    moment = month_start(month if place == "start" else next_month(month))
    if place == "last":
        moment -= timedelta(days=1)
    forms: dict[Form, str | date | datetime] = {
        "text": moment.date().isoformat(),
        "date": moment.date(),
        "datetime": moment,
    }
    return forms[form]
