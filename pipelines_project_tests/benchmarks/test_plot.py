"""The plot is a picture with a line for each contender."""

from pathlib import Path

import pytest

pytest.importorskip("matplotlib", reason="plots need the extra bench")

from benchmarks.plot import write_plot


def test_the_plot_has_a_line_for_each_contender(tmp_path: Path) -> None:
    measurements = [
        {"contender": who, "size": size, "median": {"seconds": seconds}}
        for who, size, seconds in [("ours", 1, 0.5), ("ours", 10, 0.7), ("plain", 1, 2.0)]
    ]
    path = tmp_path / "case.svg"
    write_plot({"case": "a case", "unit": "rows", "measurements": measurements}, path)

    text = path.read_text()
    for label in ("ours", "plain", "a case", "rows", "seconds"):
        assert f"<!-- {label} -->" in text
