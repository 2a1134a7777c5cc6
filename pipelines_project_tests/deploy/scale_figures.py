"""What `make scale` measured, as Markdown."""

import os
from collections.abc import Iterable, Mapping, Sequence

from benchmarks.report import machine
from pipelines_project_tests.deploy.land_all import Landed
from pipelines_project_tests.deploy.served_tables import Sizes

_HEADER = (
    "workers",
    "seconds",
    "times faster",
    "runs",
    "workers killed",
    "rows compared",
    "lost",
    "doubled",
    "workers that had a run",
    "waiting for APIs",
)


def line(workers: int, landed: Landed) -> str:
    """Return what is printed when so many workers have landed everything."""
    processors = sum(landed.processor_seconds.values())
    return (
        f"{workers} workers: {landed.seconds:.0f} s, {processors:.0f} s of processors, "
        f"{landed.runs} runs, {len(landed.killed)} workers killed, {landed.compared:,} rows "
        f"compared: lost {landed.lost}, doubled {landed.doubled}"
    )


def as_markdown(found: Mapping[int, Landed], sizes: Sizes, latency: float) -> str:
    """Return the figures of all numbers of workers, with what they hang on."""
    parts = [
        "# `make scale`",
        ", ".join(f"{name} {value}" for name, value in machine().items()),
        _what(sizes, latency),
        _table(_HEADER, (_row(workers, each, found) for workers, each in found.items())),
        "Processor seconds, and how much of the time of all processors they are:",
        _processors(found),
    ]
    return "\n\n".join(parts) + "\n"


def _what(sizes: Sizes, latency: float) -> str:
    months, per_run = sizes.months, [sizes.months_per_run(source) for source in sizes.months]
    return (
        f"{len(sizes.players)} players in {months['chess']} months with {sizes.games} games each, "
        f"{months['freshdesk']} months of Freshdesk's six lists with {sizes.tickets} new tickets "
        f"each, {months['local_jsonl']} months of {2 * sizes.lines} JSON lines. A run lands and "
        f"loads {per_run[0]} months of chess, {per_run[1]} of Freshdesk or {per_run[2]} of files; "
        "more runs build the marts. Every row is compared twice, as landed and as loaded. Each "
        f"answer of chess.com and Freshdesk is held back for {latency * 1000:g} ms, and as many "
        "runs as there are workers may ask at once."
    )


def _row(workers: int, landed: Landed, found: Mapping[int, Landed]) -> list[str]:
    first = next(iter(found.values()))
    return [
        str(workers),
        f"{landed.seconds:.0f}",
        f"{first.seconds / landed.seconds:.2f}",
        str(landed.runs),
        _killed(landed),
        f"{landed.compared:,}",
        str(landed.lost),
        str(landed.doubled),
        f"{landed.executing / landed.seconds / workers:.0%}",
        f"{landed.waited / landed.seconds / workers:.0%}",
    ]


def _killed(landed: Landed) -> str:
    sources = [*landed.killed.values()]
    each = ", ".join(f"{sources.count(source)} {source}" for source in sorted({*sources}))
    return f"{len(sources)} ({each})" if sources else "0"


def _processors(found: Mapping[int, Landed]) -> str:
    groups = sorted({group for landed in found.values() for group in landed.processor_seconds})
    header = ["", *(f"{workers} workers" for workers in found)]
    rows = [
        [group, *(_share(each, each.processor_seconds.get(group, 0)) for each in found.values())]
        for group in groups
    ]
    total = ["all", *(_share(e, sum(e.processor_seconds.values())) for e in found.values())]
    return _table(header, [*rows, total])


def _share(landed: Landed, seconds: float) -> str:
    return f"{seconds:.0f} ({seconds / landed.seconds / (os.cpu_count() or 1):.0%})"


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
