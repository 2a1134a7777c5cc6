"""What a case measured, as text for people and as JSON for programs."""

import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

from benchmarks.case import CPU, SECONDS, Case, Medians, Target
from benchmarks.rounds import Measured, medians
from pipelines_project.text_table import text_table

_PACKAGES = ("dagster", "dlt", "duckdb", "pyarrow")


@dataclass(frozen=True)
class Verdict:
    """A target with what was measured; None where the sizes or contenders were not run."""

    text: str
    limit: str
    value: float | None
    is_met: bool | None

    def row(self) -> list[Any]:
        """Return the line of the report."""
        said = {None: "not measured", True: "met", False: "not met"}[self.is_met]
        return [self.text, self.limit, _rounded(self.value), said]


def report_of(case: Case[Any], measured: Sequence[Measured]) -> dict[str, Any]:
    """Return everything that was measured, ready for JSON."""
    found = medians(measured)
    return {
        "case": case.name,
        "what": case.what,
        "unit": case.unit,
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "measurements": [_measurement(each, case, found) for each in measured],
        "targets": [asdict(_verdict(target, found)) for target in case.targets],
        "details": [*(case.details() if case.details else [])],
    }


def machine() -> dict[str, Any]:
    """Return what the figures hang on; a high load means that others were at work too."""
    return {
        "processors": os.cpu_count(),
        "load_average": round(os.getloadavg()[0], 2),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        **{name: version(name) for name in _PACKAGES},
    }


def as_text(report: dict[str, Any]) -> str:
    """Return the report as tables of plain text."""
    measurements = report["measurements"]
    more = sorted({name for each in measurements for name in each["median"]} - {SECONDS, CPU})
    header = [report["unit"], "who", "rounds", "seconds", "x first", "cpu s", "x first", *more]
    rows = [
        [
            each["size"],
            each["contender"],
            len(each["rounds"]),
            *(_rounded(each["median"].get(SECONDS)), _rounded(each["ratio"].get(SECONDS))),
            *(_rounded(each["median"].get(CPU)), _rounded(each["ratio"].get(CPU))),
            *(_rounded(each["median"].get(name)) for name in more),
        ]
        for each in measurements
    ]
    on = ", ".join(f"{name} {value}" for name, value in report["machine"].items())
    title = f"{report['case']}: {report['what']}\n{report['measured_at'][:10]}: {on}"
    parts = [title, text_table(header, rows)]
    if report["targets"]:
        verdicts = [Verdict(**each).row() for each in report["targets"]]
        parts.append(text_table(["target", "limit", "measured", ""], verdicts))
    return "\n\n".join([*parts, *(["\n".join(report["details"])] if report["details"] else [])])


def _measurement(measured: Measured, case: Case[Any], found: Medians) -> dict[str, Any]:
    median = measured.median
    first = found.get((next(iter(case.contenders)), measured.size), {})
    ratio = {name: median[name] / first[name] for name in median if first.get(name)}
    return {**asdict(measured), "median": median, "ratio": ratio}


def _verdict(target: Target, found: Medians) -> Verdict:
    limit = f"{'≥' if target.at_least else '≤'} {target.limit:g}"
    try:
        value = target.value(found)
    except KeyError:
        return Verdict(target.text, limit, None, None)
    return Verdict(target.text, limit, value, target.is_met(value))


def _rounded(number: float | None) -> float | int | None:
    if number is None:
        return None
    return round(number) if number >= 1000 else float(f"{number:.3g}")
