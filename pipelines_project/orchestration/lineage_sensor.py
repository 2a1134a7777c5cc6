"""The sensor that tells a service of OpenLineage of runs, and of what they read and wrote."""

from importlib.util import find_spec

import dagster as dg

from pipelines_project.extras import how_to_install

_NAME = "tell_openlineage"
_DESCRIPTION = "Tell OpenLineage of runs, and of the tables and columns that they read and wrote."
_SECONDS = 30
# A backfill of 120 months writes some 3,000 events; the library's own are 30 each five minutes.
_EVENTS_A_TICK = 1_000
_NOT_INSTALLED = (
    "the extra `openlineage` is not installed, so OpenLineage is told nothing: "
    f"{how_to_install('openlineage')}"
)


def lineage_sensor() -> dg.SensorDefinition:
    """Return the sensor of dagster-openlineage, which follows Dagster's event log.

    It takes the service's address and key from the environment (`OPENLINEAGE_URL`,
    `OPENLINEAGE_API_KEY`, `OPENLINEAGE_NAMESPACE`) when it is imported. Without the library it is a
    sensor that says so.
    """
    if not find_spec("dagster_openlineage"):

        @dg.sensor(name=_NAME, description=_DESCRIPTION)
        def not_installed() -> dg.SkipReason:
            return dg.SkipReason(_NOT_INSTALLED)

        return not_installed
    # Here, because the extra may not be there.
    from dagster_openlineage import openlineage_sensor

    return openlineage_sensor(
        name=_NAME,
        description=_DESCRIPTION,
        minimum_interval_seconds=_SECONDS,
        record_filter_limit=_EVENTS_A_TICK,
        include_asset_events=True,
    )
