"""What the paginators of dlt's `rest_api` have alike."""

from typing import Any

from dlt.sources.helpers.rest_client.paginators import BasePaginator
from dlt.sources.rest_api.config_setup import create_paginator

from pipelines_project.sources.settings_model import SettingsModel


class Paginator(SettingsModel):
    """A paginator; each kind has a `type`."""

    def made(self) -> BasePaginator | None:
        """Return dlt's paginator; None if it is to be told from the first answer."""
        given: Any = self.model_dump(exclude_none=True)
        return create_paginator(given)

    @property
    def most_pages(self) -> int | None:
        """How many pages with rows the paginator's own settings allow."""
        return None

    @property
    def bound(self) -> str:
        """The name of the setting that allows so many."""
        return ""
