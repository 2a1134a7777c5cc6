"""The commands that the documents give to a shell."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
DOCUMENTS = [
    ROOT / "README.md",
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted((ROOT / "examples").rglob("*.md")),
]
_BLOCK = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Command:
    """A line for a shell.

    Attributes:
        document: that gives it, from the project's folder.
        text: the line, with those that it goes on in.
    """

    document: str
    text: str


def commands() -> Iterator[Command]:
    """Yield every command of every document, without what is said behind it."""
    for document in DOCUMENTS:
        name = str(document.relative_to(ROOT))
        for block in _BLOCK.findall(document.read_text(encoding="utf-8")):
            for line in re.sub(r"\\\n\s*", "", block).splitlines():
                text = re.split(r"\s+# ", line)[0].strip().removeprefix("$ ")
                if text and not text.startswith("#"):
                    yield Command(name, text)
