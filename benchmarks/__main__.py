"""The benchmarks from the command line: `python -m benchmarks --help`."""

import argparse
import json
import re
import sys
import tempfile
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.case import Case
from benchmarks.cases import CASES
from benchmarks.report import as_text, report_of
from benchmarks.rounds import take_turns
from pipelines_project.demo.child_process import exit_on_signals

_RESULTS = Path(__file__).parent / "results"
_BLOCK = re.compile(r"^```\n(.+?)\n```$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Options:
    """What to run; None for what the case itself says."""

    cases: Sequence[str]
    rounds: int | None
    sizes: Sequence[int] | None
    output: Path
    folder: Path | None


def run_case(case: Case[Any], options: Options) -> dict[str, Any]:
    """Run one case, write its JSON and its plot, and return the report."""
    sizes = {
        size: options.rounds or case.sizes.get(size, 1) for size in options.sizes or case.sizes
    }
    with tempfile.TemporaryDirectory(prefix="benchmark-", dir=options.folder) as folder:
        measured = take_turns(case, sizes, Path(folder), _tell)
    report = report_of(case, measured)
    options.output.mkdir(parents=True, exist_ok=True)
    text = json.dumps(report, indent=2, ensure_ascii=False)
    (options.output / f"{case.name}.json").write_text(f"{text}\n")
    if len(sizes) > 1:
        # Only the extra `bench` has what it needs.
        from benchmarks.plot import write_plot

        write_plot(report, options.output / f"{case.name}.svg")
    return report


def write_summary(folder: Path) -> None:
    """Write the last report of every case to `summary.md`, and keep those measured elsewhere."""
    summary = folder / "summary.md"
    before = _BLOCK.findall(summary.read_text()) if summary.exists() else []
    texts = {text.partition(":")[0]: text for text in before}
    for name in CASES:
        report = folder / f"{name}.json"
        if report.exists():
            texts[name] = as_text(json.loads(report.read_bytes()))
    blocks = "\n\n".join(f"```\n{texts[name]}\n```" for name in CASES if name in texts)
    summary.write_text(f"# `make bench`\n\n{blocks}\n")


def main(arguments: Sequence[str]) -> None:
    """Run the cases that are named, or all."""
    options = _options(arguments)
    exit_on_signals()
    # Dagster has no other way to let one run hold several months.
    warnings.filterwarnings("ignore", "Parameter `backfill_policy`")
    for name in options.cases:
        print(f"\n{as_text(run_case(CASES[name], options))}\n", flush=True)
    write_summary(options.output)


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _options(arguments: Sequence[str]) -> Options:
    names = "\n".join(f"  {case.name:20}{case.what}" for case in CASES.values())
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=f"{__doc__}\n\ncases:\n{names}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("cases", nargs="*", metavar="case", help="all if none is named")
    add("--rounds", type=int, metavar="N", help="how often contenders take turns")
    add("--sizes", type=_sizes, metavar="N,N", help="how large the input is")
    add("--output", type=Path, default=_RESULTS, help="where JSON and plots go (%(default)s)")
    add("--folder", type=Path, help="where the cases work; the temporary folder if not given")
    asked = vars(parser.parse_args(arguments))
    if unknown := sorted(set(asked["cases"]) - set(CASES)):
        parser.error(f"there is no case {', '.join(unknown)}, only {', '.join(CASES)}")
    return Options(**{**asked, "cases": asked["cases"] or [*CASES]})


def _sizes(text: str) -> list[int]:
    return [int(size) for size in text.split(",")]


if __name__ == "__main__":
    main(sys.argv[1:])
