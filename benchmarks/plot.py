"""The plot of a case: what each contender takes against the size of its input."""

from pathlib import Path
from typing import Any

from matplotlib.figure import Figure  # pyright: ignore[reportMissingImports]

from benchmarks.case import SECONDS


def write_plot(report: dict[str, Any], path: Path, figure: str = SECONDS) -> None:
    """Write the medians as a picture, in the format that the path's suffix names."""
    picture = Figure(figsize=(7, 4.5), layout="constrained")
    axes = picture.subplots()
    lines: dict[str, list[tuple[int, float]]] = {}
    for each in report["measurements"]:
        lines.setdefault(each["contender"], []).append((each["size"], each["median"][figure]))
    for contender, points in lines.items():
        axes.plot(*zip(*points, strict=True), marker="o", label=contender)
    axes.set(
        xscale="log",
        yscale="log",
        title=report["case"],
        xlabel=report["unit"],
        ylabel=figure.replace("_", " "),
    )
    axes.grid(visible=True, which="both", alpha=0.3)
    axes.legend()
    picture.savefig(path)
