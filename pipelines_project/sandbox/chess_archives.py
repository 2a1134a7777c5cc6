"""Where a chess sandbox has its games from: `Archives`, such as a folder of recorded answers."""

import gzip
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


class Archives(Protocol):
    """The games of all players; names come in small letters, months as `YYYY-MM`."""

    def months(self, player: str) -> list[str] | None:
        """The months with games, oldest first; None if there is no such player."""
        ...

    def games(self, player: str, month: str) -> bytes:
        """The JSON answer for one of these months."""
        ...


@dataclass(frozen=True)
class RecordedArchives:
    """Answers kept in a folder, as `<player>/<YYYY-MM>.json.gz`."""

    folder: Path

    def months(self, player: str) -> list[str] | None:
        """The months that were kept."""
        folder = self._folder(player)
        return sorted(file.name[:7] for file in folder.glob("*.json.gz")) if folder else None

    def games(self, player: str, month: str) -> bytes:
        """The answer as it was given."""
        folder = self._folder(player) or self.folder / player
        return gzip.decompress((folder / f"{month}.json.gz").read_bytes())

    def _folder(self, player: str) -> Path | None:
        folders = (each for each in self.folder.iterdir() if each.name.lower() == player.lower())
        return next(folders, None)
