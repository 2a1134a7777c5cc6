"""The reading rooms of a library as a component."""

from collections.abc import Sequence
from typing import ClassVar

from pydantic import Field

from pipelines_project.components.monthly_source import MonthlySource
from pipelines_project.components.table_settings import TableSettings
from pipelines_project.landing.zone import LandingZone
from pipelines_project.sources.http.api_calls import ApiCalls
from pipelines_project.sources.reading_room.visits import visits
from pipelines_project.sources.secrets import Secrets
from pipelines_project.table import Extract, Table


class ReadingRoomSource(MonthlySource):
    """Who came to the reading rooms. The key is read from `LIBRARY_KEY` by a run."""

    subject_name: ClassVar[str] = "member"
    subject_type: ClassVar[type] = int

    source: str = Field(default="reading_room", description="The name of the source.")
    address: str = Field(description="The address of the API, without a slash at its end.")
    most_pages: int = Field(default=100, description="How many pages a month may have.")

    def monthly_tables(self) -> Sequence[Table]:
        """Return the one table, `visits`."""
        settings = TableSettings(
            name="visits",
            description="One row is one member's visit to a reading room.",
            key=["id"],
            subject="member",
        )
        return [self.table(settings, self._extractor)]

    def _extractor(self, calls: ApiCalls, _landing: LandingZone) -> Extract:
        return visits(self.address, Secrets().read("LIBRARY_KEY"), calls, self.most_pages)
