"""What a backfill would do, told before it does anything: which months, why, and what it costs."""

from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime

import dagster as dg

from pipelines_project.landing.ask_source import Asker, keeps_unchanged
from pipelines_project.landing.errors import LandingError
from pipelines_project.landing.landed_month import LandedMonth, Load
from pipelines_project.landing.listing import Listing
from pipelines_project.landing.replaced_files import replaced_files
from pipelines_project.landing.zone import LandingZone
from pipelines_project.months import month_of, months_between
from pipelines_project.orchestration.contents import Held, is_same, newest
from pipelines_project.orchestration.past_costs import Cost, past_costs, typical
from pipelines_project.orchestration.plan_landing import LandingLook, State
from pipelines_project.orchestration.run_history import Watched, run_history
from pipelines_project.orchestration.table_assets import landing_key, warehouse_key
from pipelines_project.sources.http.api_calls import ApiCalls
from pipelines_project.table import Table

_AT_ONCE = 8


@dataclass(frozen=True)
class Plannable:
    """A table of a source.

    Attributes:
        table: the table.
        asker: makes what asks its source, given what counts the requests.
    """

    table: Table
    asker: Callable[[ApiCalls, LandingZone], Asker]


@dataclass(frozen=True)
class Selected:
    """A table whose assets are selected.

    Attributes:
        table: the table.
        lands: whether the one that lands it is.
        loads: whether the one that loads it is.
        asker: what asks its source; None to ask nothing.
    """

    table: Table
    lands: bool
    loads: bool
    asker: Asker | None = None


@dataclass(frozen=True)
class MonthPlan:
    """What a backfill would do with a month.

    Attributes:
        state: what landing it would find; None if the landing asset is not selected.
        why: what there is to say of that.
        lands: whether a backfill would land it anew.
        cost: what landing it would take, as far as is known.
        deleted: the files that would be deleted once it is landed, with their sizes.
        is_loaded: whether the warehouse holds what is landed; None if nothing is, or the warehouse
            asset is not selected.
    """

    state: State | None
    why: str = ""
    lands: bool = False
    cost: Cost = field(default_factory=Cost)
    deleted: Mapping[str, int] = field(default_factory=dict[str, int])
    is_loaded: bool | None = None


@dataclass(frozen=True)
class TablePlan:
    """What a backfill would do with a table.

    Attributes:
        selected: the table, and which of its assets.
        months: each that was asked for.
        measured: how many landed months the costs are told from.
        trouble: why the source could not be asked.
    """

    selected: Selected
    months: Mapping[str, MonthPlan]
    measured: int
    trouble: str = ""


def selected_tables(
    tables: Sequence[Plannable],
    keys: Collection[dg.AssetKey],
    zone: LandingZone,
    calls: ApiCalls | None,
) -> list[Selected]:
    """Return the tables of which assets are selected.

    Args:
        tables: those that there are.
        keys: of the selected assets.
        zone: the landing zone.
        calls: counts what the sources are asked; None to ask nothing.
    """
    found: list[Selected] = []
    for each in tables:
        lands, loads = landing_key(each.table) in keys, warehouse_key(each.table) in keys
        if lands or loads:
            asker = each.asker(calls, zone) if calls and lands else None
            found.append(Selected(each.table, lands, loads, asker))
    return found


def plan(
    instance: dg.DagsterInstance,
    zone: LandingZone,
    selected: Selected,
    months: Sequence[str] | None = None,
) -> TablePlan:
    """Return what a backfill of some months would do with a table; nothing is changed.

    What is loaded is told by Dagster's history, so that no lock on the warehouse is taken.

    Args:
        instance: keeps the history.
        zone: the landing zone.
        selected: the table.
        months: in order; every one that the table has if there are none.
    """
    table, key = selected.table, landing_key(selected.table)
    if months is None:
        months = months_between(table.start_month, month_of(datetime.now(UTC)))
    places = [table.month(zone, month) for month in months]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        looks = dict(zip(months, pool.map(_look, places), strict=True))
    found = {month: load for month, (_, load) in looks.items()}
    costs = past_costs(instance, key)
    of_new_month = typical(costs)
    history = run_history(instance, [Watched(key, has_months=True, checks=[])])
    look = LandingLook(table, found, history[key.to_user_string()].failed, selected.asker)
    held = newest(instance, warehouse_key(table), months) if selected.loads else {}
    plans: dict[str, MonthPlan] = {}
    for month in months:
        state, why = look.at(month) if selected.lands else (None, "")
        lands = _lands(state, found[month])
        plans[month] = MonthPlan(
            state,
            why,
            lands,
            costs.get(month, of_new_month) if lands else Cost(),
            replaced_files(looks[month][0], table.keep_loads) if lands else {},
            _is_loaded(found[month], held.get(month)) if selected.loads else None,
        )
    return TablePlan(selected, plans, len(costs), look.trouble)


def _look(place: LandedMonth) -> tuple[Listing, Load | str | None]:
    """Return what is there of a month, and its current load or what is wrong with it."""
    listing = place.listing()
    try:
        return place.whole(listing)
    except LandingError as error:
        return listing, str(error)


def _lands(state: State | None, load: Load | str | None) -> bool:
    """Tell whether a backfill lands the month anew; not all sources can keep an unchanged one."""
    if state is State.UNCHANGED and isinstance(load, Load):
        return not keeps_unchanged(load.record.fetched)
    return state not in (None, State.NOTHING)


def _is_loaded(load: Load | str | None, held: Held | None) -> bool | None:
    if not isinstance(load, Load):
        return None
    return is_same(Held(load.record.content, load.load_id), held)
