"""How much the soak's long-lived processes and folders hold, now and before."""

import multiprocessing
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple


class Use(NamedTuple):
    """What a process holds: its memory, and its open files, sockets and pipes."""

    megabytes: int
    descriptors: int


def use_of(pid: int) -> Use:
    """Return what a process of this machine holds."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    descriptors = len(list(Path(f"/proc/{pid}/fd").iterdir()))
    return Use(pages * os.sysconf("SC_PAGE_SIZE") >> 20, descriptors)


def files_in(folder: Path) -> int:
    """Return how many files and folders there are below a folder, which may change meanwhile."""
    return sum(len(folders) + len(files) for _, folders, files in os.walk(folder))


@dataclass
class Watch:
    """What was held at each look: of this process, of its children by name, and of folders.

    Attributes:
        data: the folder of the data.
    """

    data: Path
    uses: dict[str, list[Use]] = field(default_factory=dict)
    files: dict[str, list[int]] = field(default_factory=dict)

    def look(self) -> None:
        """Note what is held now."""
        processes = {"this process": os.getpid()}
        for child in multiprocessing.active_children():
            processes[child.name] = child.pid or 0
        for name, pid in processes.items():
            self.uses.setdefault(name, []).append(use_of(pid))
        for name in ("tmp", "landing"):
            self.files.setdefault(name, []).append(files_in(self.data / name))

    def lines(self) -> list[str]:
        """Return the lines of a table: at first, at most and at last."""
        lines = [f"{'':28}{'first':>8}{'most':>8}{'last':>8}"]
        for name, uses in self.uses.items():
            for what, values in zip(("MB", "descriptors"), zip(*uses, strict=True), strict=True):
                lines.append(_line(f"{name}, {what}", [*values]))
        return lines + [_line(f"files in {name}", values) for name, values in self.files.items()]


def _line(name: str, values: list[int]) -> str:
    return f"{name:28}{values[0]:>8}{max(values):>8}{values[-1]:>8}"
