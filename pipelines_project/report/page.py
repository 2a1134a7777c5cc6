"""The page: what was gathered as HTML, by the template beside this module, and its writing."""

import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from fsspec.implementations.local import LocalFileSystem
from jinja2 import Environment, PackageLoader, StrictUndefined

from pipelines_project.landing.storage import replace_file
from pipelines_project.report.concerns import concerns, shown_months
from pipelines_project.report.matrix import css_class, in_short, matrix, matrix_months
from pipelines_project.report.months import State
from pipelines_project.report.shown import Report

_UNITS = ((86400, "d"), (3600, "h"), (60, "min"))


def html(report: Report) -> str:
    """Return the page, which needs nothing but itself."""
    # Its filters have no types.
    environment: Any = Environment(
        loader=PackageLoader("pipelines_project", "report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )

    def age(at: float) -> str:
        return in_units(report.at.timestamp() - at)

    def ago(at: float) -> str:
        return f"{age(at)} ago" if report.at.timestamp() - at >= 60 else "just now"

    environment.filters.update(
        age=age,
        ago=ago,
        css=css_class,
        in_short=in_short,
        in_words=shown_months,
        moment=_moment,
        number=_number,
    )
    growths = (each.growth for each in (*report.tables, *report.marts))
    return environment.get_template("page.html").render(
        report=report,
        months=matrix_months(report),
        groups=matrix(report),
        concerns=concerns(report),
        states=[state for state in State if state is not State.NONE],
        curves=[each for each in growths if each],
    )


def write_page(path: Path, report: Report) -> None:
    """Write the page in the place of the one before, so that readers see one or the other."""
    with tempfile.TemporaryDirectory() as folder:
        new = Path(folder, "report.html")
        new.write_text(html(report), encoding="utf-8")
        replace_file(cast(Any, LocalFileSystem()), new, str(path.absolute()))


def in_units(seconds: float) -> str:
    """Return a length of time in the largest unit that it has one of."""
    for size, unit in _UNITS:
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return "now"


def _moment(at: float | datetime) -> str:
    found = at if isinstance(at, datetime) else datetime.fromtimestamp(at, UTC)
    return found.strftime("%Y-%m-%d %H:%M UTC")


def _number(value: int) -> str:
    return f"{value:,}"
