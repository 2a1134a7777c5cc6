"""What materializations say of the content of their data, and the data version that they have."""

import hashlib
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

import dagster as dg

# Where Dagster keeps the data version of a materialization.
_DATA_VERSION = "dagster/data_version"


class Held(NamedTuple):
    """What a materialization says that it holds.

    Attributes:
        content: the same for the same rows, if it is known.
        load_id: the load; None of a mart.
        data_version: what Dagster takes for its version.
    """

    content: str | None
    load_id: str | None
    data_version: str | None = None


def is_same(one: Held, other: Held | None) -> bool:
    """Tell whether both hold the same, as far as can be told."""
    if other is None:
        return False
    if one.content and other.content:
        return one.content == other.content
    return bool(one.load_id) and one.load_id == other.load_id


def newest(
    instance: dg.DagsterInstance,
    key: dg.AssetKey,
    months: Collection[str] | None,
    before_storage_id: int | None = None,
) -> Mapping[str, Held]:
    """Return what the newest materialization of each month says that it holds.

    Args:
        instance: keeps them.
        key: the asset.
        months: those that are asked for; None of an asset without months, whose month is "".
        before_storage_id: leave out those from this one on.
    """
    found: dict[str, Held] = {}
    missing = {""} if months is None else {*months}
    while missing:
        records = instance.fetch_materializations(
            dg.AssetRecordsFilter(
                key,
                asset_partitions=None if months is None else sorted(missing),
                before_storage_id=before_storage_id,
            ),
            # Often each month has the one record that is read; if not, the rest is asked for again.
            limit=min(len(missing), 1000),
        ).records
        for record in records:
            if made := record.asset_materialization:
                values = {name: value.value for name, value in made.metadata.items()}
                version = (made.tags or {}).get(_DATA_VERSION)
                found.setdefault(made.partition or "", _held(values, version))
        missing = missing - found.keys() if records else set()
    return found


def materialization(
    key: dg.AssetKey, metadata: Mapping[str, Any], month: str | None = None
) -> dg.AssetMaterialization:
    """Return a materialization to be logged, with the data version that Dagster does not add."""
    version = _version([_held(metadata)])
    tags = {_DATA_VERSION: version} if version else {}
    return dg.AssetMaterialization(key, partition=month, metadata=metadata, tags=tags)


def data_version(
    instance: dg.DagsterInstance, key: dg.AssetKey, of_months: Mapping[str, Mapping[str, Any]]
) -> dg.DataVersion | None:
    """Return the one data version that Dagster takes for all months of a run.

    It is the content of one month, and hangs on that of all where there are several. Months that
    hold what they held keep the version that they had, whatever run gave it to them, or Dagster
    would take what was made of them for out of date.

    Args:
        instance: keeps the materializations before.
        key: the asset.
        of_months: the metadata of each month.

    Returns:
        None if what is there has no content that is known.
    """
    before = newest(instance, key, of_months)
    held = {month: _held(metadata) for month, metadata in of_months.items()}
    kept = {
        before[month].data_version if is_same(each, before.get(month)) else None
        for month, each in held.items()
    }
    version = (len(kept) == 1 and kept.pop()) or _version([*held.values()])
    return dg.DataVersion(version) if version else None


def _version(held: Collection[Held]) -> str | None:
    """Return what stands for the content of one month, or of several together."""
    known = [each.content or each.load_id for each in held]
    if len(known) == 1:
        return known[0]
    return hashlib.sha256(" ".join(map(str, known)).encode()).hexdigest()[:32]


def _held(metadata: Mapping[str, Any], version: str | None = None) -> Held:
    # A load that a newer one has superseded was removed again.
    if superseded_by := metadata.get("superseded_by"):
        return Held(None, superseded_by, version)
    return Held(metadata.get("content"), metadata.get("load_id"), version)
