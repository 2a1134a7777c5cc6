"""What a source is that can tell, before it lands a month again, whether anything has changed."""

from abc import ABC, abstractmethod

from dlt.extract import DltResource


class Comparable(ABC):
    """Extracts months as any source does, and knows what their rows are made from."""

    @abstractmethod
    def __call__(self, month: str) -> DltResource:
        """Return the resource of the month's rows."""

    @abstractmethod
    def ask(self, month: str) -> dict[str, str]:
        """Return what the month's rows would be made from now; nothing where it cannot be told."""

    @abstractmethod
    def fetched(self) -> dict[str, str]:
        """Return what the rows that were extracted last are made from."""
