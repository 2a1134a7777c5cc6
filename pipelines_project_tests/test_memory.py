"""DuckDB gets a share of what the machine, or the control group it runs in, has."""

from pathlib import Path

import pytest

from pipelines_project import memory
from pipelines_project.memory import Budget, duckdb_budget, machine_memory

_MACHINE = machine_memory(Path("/nowhere"), Path("/nowhere"))
_GIB = 1 << 30


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{text}\n")


@pytest.mark.parametrize(
    ("own", "file"),
    [
        ("0::/system.slice/job", "system.slice/job/memory.max"),
        ("0::/system.slice/job", "system.slice/memory.max"),
        ("0::/as/the/host/calls/it", "memory.max"),
        ("7:cpu:/\n4:memory:/docker/a", "memory/docker/a/memory.limit_in_bytes"),
        ("4:memory:/as/the/host/calls/it", "memory/memory.limit_in_bytes"),
        ("0::/job", "unified/job/memory.max"),
    ],
)
def test_the_limit_of_a_control_group_counts_and_of_every_group_around_it(
    tmp_path: Path, own: str, file: str
) -> None:
    _write(tmp_path / "own", own)
    _write(tmp_path / "cgroup" / file, "500000000")

    assert machine_memory(tmp_path / "cgroup", tmp_path / "own") == 500_000_000


@pytest.mark.parametrize("text", ["max", str(2**63 - 4096)])
def test_a_control_group_without_a_limit_leaves_the_memory_of_the_machine(
    tmp_path: Path, text: str
) -> None:
    _write(tmp_path / "own", "0::/job")
    _write(tmp_path / "cgroup" / "job" / "memory.max", text)

    assert machine_memory(tmp_path / "cgroup", tmp_path / "own") == _MACHINE


@pytest.mark.parametrize(
    ("machine", "share"),
    [(64 * _GIB, 16 * _GIB), (3 * _GIB, _GIB), (2 * _GIB, _GIB), (_GIB, _GIB // 2)],
)
def test_a_run_takes_a_quarter_and_a_gibibyte_where_that_is_at_most_half(
    monkeypatch: pytest.MonkeyPatch, machine: int, share: int
) -> None:
    monkeypatch.setattr(memory, "machine_memory", lambda: machine)

    assert duckdb_budget({}).memory == share


@pytest.mark.parametrize(
    ("text", "size"),
    [("800MB", 800_000_000), ("1.5 GiB", 3 * _GIB // 2), ("64kib", 65536), ("2tb", 2 * 10**12)],
)
def test_the_memory_can_be_set(text: str, size: int) -> None:
    assert duckdb_budget({"DUCKDB_MEMORY_LIMIT": text}).memory == size


@pytest.mark.parametrize(
    ("processors", "asked", "limit", "threads"),
    [
        (64, "", "8GB", 4),
        (2, "", "8GB", 2),
        (64, "16", "8GB", 16),
        (64, "16", "300MB", 2),
        (None, "", "1MB", 1),
    ],
)
def test_there_are_no_more_threads_than_have_the_memory_that_each_takes(
    monkeypatch: pytest.MonkeyPatch, processors: int | None, asked: str, limit: str, threads: int
) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: processors)

    budget = duckdb_budget({"DUCKDB_MEMORY_LIMIT": limit, "DUCKDB_THREADS": asked})
    assert budget.threads == threads


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DUCKDB_MEMORY_LIMIT", "lots"),
        ("DUCKDB_MEMORY_LIMIT", "0MB"),
        ("DUCKDB_MEMORY_LIMIT", "5"),
        ("DUCKDB_THREADS", "0"),
        ("DUCKDB_THREADS", "two"),
    ],
)
def test_a_setting_that_makes_no_sense_is_named(name: str, value: str) -> None:
    with pytest.raises(ValueError, match=f"{name} .*'{value}'"):
        duckdb_budget({name: value})


def test_a_budget_is_what_duckdb_is_told() -> None:
    assert Budget(1000, 2).settings() == {"memory_limit": "1000B", "threads": 2}
