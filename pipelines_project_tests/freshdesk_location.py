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
from pipelines_project.sandbox.server import serving
from pipelines_project.warehouse.database import Warehouse
from pipelines_project_tests.code_location import CodeLocation


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
    landing = LandingZone(url=str(folder / "landing"))
    warehouse = Warehouse(url=str(folder / "warehouse.duckdb"))
    app = freshdesk_app(desk, key=served_key, faults=faults, quota=quota)
    with (
        serving(app) as url,
        dg.DagsterInstance.ephemeral() as instance,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setenv("FRESHDESK_API_KEY", key)
        settings: dict[str, Any] = {
            "domain": "",
            "api_url": f"{url}/api/v2",
            "start_month": "2021-01",
        }
        defs = component_defs(
            component=FreshdeskSource(**settings | attributes),
            resources={"landing": landing, "warehouse": warehouse},
        )
        yield CodeLocation(defs, instance, landing, warehouse, faults, f"{url}/api/v2")
