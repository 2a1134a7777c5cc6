"""Into which runs months of assets are split, and what came of each asset in them."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

import dagster as dg

from pipelines_project.orchestration.metadata import NOTHING_TO_LAND
from pipelines_project.orchestration.run_tags import tags_of_months
from pipelines_project.orchestration.table_assets import asset_of_step


def tags_of_runs(
    repository: dg.RepositoryDefinition, keys: Collection[dg.AssetKey], months: Sequence[str] | None
) -> list[dict[str, str]]:
    """Return the tags of each run that is needed to make the months of the assets.

    It is one, unless an asset takes fewer months at once; assets without months take any.

    Raises:
        ValueError: the assets have months and none is named, or have not those that are.
    """
    nodes = [repository.asset_graph.get(key) for key in keys]
    found = {each.partitions_def for each in nodes if each.partitions_def}
    if not found:
        return [{}]
    if len(found) > 1:
        raise ValueError("the assets have not the same months: select those of one source")
    known = next(iter(found)).get_partition_keys()
    if not months:
        raise ValueError("name months, such as 2024-01 or 2024-01...2024-03")
    if unknown := [month for month in months if month not in known]:
        raise ValueError(f"{unknown[0]} is no month of theirs: {known[0]} to {known[-1]}")
    most = [each.backfill_policy.max_partitions_per_run for each in nodes if each.backfill_policy]
    size = min(filter(None, most), default=len(months))
    return [tags_of_months(months[start : start + size]) for start in range(0, len(months), size)]


def parts(
    repository: dg.RepositoryDefinition, keys: Collection[dg.AssetKey], months: Sequence[str] | None
) -> dict[dg.AssetKey, list[str | None]]:
    """Return what is to be made of each asset, those first that others are made of: its months.

    `None` stands for the whole of an asset that has no months.
    """
    graph = repository.asset_graph
    ordered = [key for key in graph.toposorted_asset_keys if key in keys]
    return {key: [*(months or ())] if graph.get(key).partitions_def else [None] for key in ordered}


def closing_rows(
    wanted: Mapping[dg.AssetKey, Sequence[str | None]], entries: Sequence[dg.EventLogEntry]
) -> list[Sequence[str | float]]:
    """Return of each asset: the months made, those of nothing, those not made, rows and seconds.

    Args:
        wanted: what was to be made.
        entries: what the runs have logged.
    """
    found: list[Sequence[str | float]] = []
    for key, asked in wanted.items():
        own = [each for each in entries if _is_of(each, key)]
        made = {each.partition: each for each in _made(own, key) if each.partition in asked}
        nothing = sum(NOTHING_TO_LAND in each.metadata for each in made.values())
        rows = sum(map(_rows, made.values()))
        counts = (len(made) - nothing, nothing, len(asked) - len(made), rows)
        found.append((key.to_user_string(), *counts, round(_seconds(own), 1)))
    return found


def failed_checks(entries: Iterable[dg.EventLogEntry]) -> Iterator[str]:
    """Yield what there is to say of each check that does not hold, once for all its months."""
    for entry in entries:
        event = entry.dagster_event
        if not event or event.event_type is not dg.DagsterEventType.ASSET_CHECK_EVALUATION:
            continue
        found = event.asset_check_evaluation_data
        if not found.passed and not found.partition:
            name = f"{found.asset_key.to_user_string()} {found.check_name}"
            wrong = found.metadata.get("wrong")
            where = wrong.value if wrong and isinstance(wrong.value, dict) else {}
            yield f"{found.severity.value} {name} does not hold: {', '.join(sorted(where))}"


def _is_of(entry: dg.EventLogEntry, key: dg.AssetKey) -> bool:
    return asset_of_step(entry.step_key or "") == key.to_python_identifier()


def _made(
    entries: Iterable[dg.EventLogEntry], key: dg.AssetKey
) -> Iterator[dg.AssetMaterialization]:
    for entry in entries:
        if (made := entry.asset_materialization) and made.asset_key == key:
            yield made


def _rows(made: dg.AssetMaterialization) -> int:
    for name in ("dagster/partition_row_count", "dagster/row_count"):
        if isinstance(value := made.metadata.get(name), dg.IntMetadataValue):
            return value.value or 0
    return 0


def _seconds(entries: Iterable[dg.EventLogEntry]) -> float:
    """Return how long the runs were at it, each from its first word to its last."""
    of_runs: dict[str, list[float]] = {}
    for entry in entries:
        of_runs.setdefault(entry.run_id, []).append(entry.timestamp)
    return sum(max(told) - min(told) for told in of_runs.values())
