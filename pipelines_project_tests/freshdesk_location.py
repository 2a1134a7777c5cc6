"""The Freshdesk source beside a help desk of its own, run as Dagster runs it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster.components.testing.utils import component_defs

from pipelines_project.components.freshdesk import FreshdeskSource
from pipelines_project.landing.zone import LandingZone
from pipelines_project.sandbox.faults import Faults
from pipelines_project.sandbox.freshdesk import KEY, freshdesk_app
from pipelines_project.sandbox.freshdesk_quota import Quota
from pipelines_project.sandbox.help_desk import HelpDesk
from pipelines_project.warehouse.database import Warehouse
from pipelines_project_tests.code_location import CodeLocation
from pipelines_project_tests.kept import empty_instance, service


def landing_key(table: str) -> str:
    return f"landing/freshdesk/{table}"


def warehouse_key(table: str) -> str:
    return f"warehouse/freshdesk/{table}"


def both(*tables: str) -> list[str]:
    """Return the assets of the tables, by which a run names them."""
    return [key(table) for table in tables for key in (landing_key, warehouse_key)]


@contextmanager
def freshdesk_location(
    folder: Path,
    desk: HelpDesk,
    *,
    key: str = KEY,
    served_key: str = KEY,
    quota: Quota | None = None,
    **attributes: Any,
) -> Iterator[CodeLocation]:
    """Give the Freshdesk source alone, with its data below a folder.

    Args:
        folder: where landing zone and warehouse are.
        desk: what it is served.
        key: what `FRESHDESK_API_KEY` is.
        served_key: the key that is let in.
        quota: the rate limit.
        attributes: more attributes of the component, or others.
    """
    faults = Faults()
    app = freshdesk_app(desk, key=served_key, faults=faults, quota=quota)
    with (
        service(app, folder) as freshdesk,
        empty_instance() as instance,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setenv("FRESHDESK_API_KEY", key)
        landing = LandingZone(url=str(freshdesk.folder / "landing"))
        warehouse = Warehouse(url=str(freshdesk.folder / "warehouse.duckdb"))
        api_url = f"{freshdesk.url}/api/v2"
        settings: dict[str, Any] = {"domain": "", "api_url": api_url, "start_month": "2021-01"}
        settings |= attributes

        def load() -> dg.Definitions:
            resources = {"landing": landing, "warehouse": warehouse}
            return component_defs(component=FreshdeskSource(**settings), resources=resources)

        defs = freshdesk.loaded(("freshdesk", settings), load)
        yield CodeLocation(defs, instance, landing, warehouse, faults, api_url, freshdesk)
