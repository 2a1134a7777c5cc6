"""What one DuckDB may take of this machine: a share of its memory, and as many threads as fit."""

import os
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

MEMORY_SETTING, THREADS_SETTING = "DUCKDB_MEMORY_LIMIT", "DUCKDB_THREADS"
# DuckDB runs out of memory instead of spilling where a thread has less.
THREAD_BYTES = 125_000_000
# Four runs go on at once, each with its own DuckDB.
_SHARE = 4
# What a table of a thousand columns takes; half of a machine that has little more is for the rest.
_LEAST_BYTES = 1 << 30
_MOST_THREADS = 4
_BYTES = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgt]?)(i?)b", re.IGNORECASE)
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}
_CGROUPS = Path("/sys/fs/cgroup")
_LIMITS = {"": "memory.max", "unified": "memory.max", "memory": "memory.limit_in_bytes"}


@dataclass(frozen=True)
class Budget:
    """What a DuckDB may take: its memory limit in bytes, and its threads."""

    memory: int
    threads: int

    def settings(self) -> dict[str, str | int]:
        """Return the budget as settings of a DuckDB connection."""
        return {"memory_limit": f"{self.memory}B", "threads": self.threads}


def duckdb_budget(environment: Mapping[str, str] = os.environ) -> Budget:
    """Return the budget that the settings name, or that follows from the machine.

    Raises:
        ValueError: a setting is not what it must be; the message names it.
    """
    asked = environment.get(MEMORY_SETTING, "").strip()
    memory = _bytes(asked) if asked else _share(machine_memory())
    asked = environment.get(THREADS_SETTING, "").strip()
    if asked and not (asked.isdecimal() and int(asked)):
        raise ValueError(f"{THREADS_SETTING} must be a number of threads, not {asked!r}")
    threads = int(asked) if asked else min(os.cpu_count() or 1, _MOST_THREADS)
    return Budget(memory, max(1, min(threads, memory // THREAD_BYTES)))


def _bytes(text: str) -> int:
    match = _BYTES.fullmatch(text)
    number = match and float(match[1]) * (1024 if match[3] else 1000) ** _POWERS[match[2].lower()]
    if not number:
        raise ValueError(f"{MEMORY_SETTING} must be a size such as 800MB or 4GiB, not {text!r}")
    return int(number)


def _share(memory: int) -> int:
    return max(memory // _SHARE, min(_LEAST_BYTES, memory // 2))


@cache
def machine_memory(cgroups: Path = _CGROUPS, own: Path = Path("/proc/self/cgroup")) -> int:
    """Return the bytes that this process may take at most: the machine's, or its control group's.

    Args:
        cgroups: where the control groups are mounted: of version 2, version 1, or both.
        own: lists the groups that the process is in.
    """
    limits = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    with suppress(OSError):
        for line in own.read_text().splitlines():
            group = line.split(":", 2)[-1].strip("/")
            for mounted, name in _LIMITS.items():
                folder = cgroups / mounted
                # In a container the path may be the host's, and the group is the mounted root.
                paths = [folder / group, *(folder / group).parents]
                limits += [_limit(path / name) for path in paths if path.is_relative_to(folder)]
    return min(limit for limit in limits if limit)


def _limit(path: Path) -> int:
    """Return the limit that a file holds, 0 if it is not there or says that there is none."""
    try:
        text = path.read_text().strip()
    except OSError:
        return 0
    return int(text) if text.isdecimal() else 0
