"""How much memory landing and loading take as the input grows."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks import commands
from benchmarks.case import PEAK, Case, Contender, Figures, Target, ratio
from benchmarks.cases.jsonl import write_events
from benchmarks.commands import data_settings

_KEYS = {
    "landing": ("landing/local_jsonl/synthetic_data",),
    "warehouse": ("warehouse/local_jsonl/synthetic_data",),
}


@contextmanager
def _raw(rows: int, folder: Path) -> Iterator[Path]:
    # The project's own table has its files in the folder `synthetic_data`.
    write_events(folder, rows).rename(folder / "synthetic_data")
    yield folder


def _stage(name: str) -> Contender[Path]:
    def run(raw: Path, place: Path) -> Figures:
        settings = {"RAW_URL": str(raw), **data_settings(place)}
        return commands.materialize(_KEYS[name], ["2024-01"], settings)

    return Contender(run)


def _growth(stage: str) -> Target:
    most, least = (stage, 20_000_000), (stage, 1_000_000)
    return Target(f"{stage}: peak at 20 million rows over 1 million", 1.3, ratio(most, least, PEAK))


MEMORY = Case(
    name="memory",
    what="The peak memory of a process that lands JSON lines, and of one that loads them.",
    unit="rows",
    sizes={1_000_000: 2, 5_000_000: 1, 20_000_000: 1},
    prepared=_raw,
    contenders={"landing": _stage("landing"), "warehouse": _stage("warehouse")},
    targets=(_growth("landing"), _growth("warehouse")),
)
