"""Which assets a text selects, as Dagster's own pages and commands write it."""

import warnings

import dagster as dg

_FORM = (
    "is no selection of assets. Write group:chess, or names in double quotes, such as "
    """'key:"landing/chess/games" or key:"warehouse/chess/games"'; a plus sign after one takes """
    "what is made of it too"
)


def selected_keys(text: str, repository: dg.RepositoryDefinition) -> set[dg.AssetKey]:
    """Return the keys of the assets that a text selects, at least one.

    Raises:
        ValueError: it selects none, or is no selection; it says how one is written.
    """
    try:
        with warnings.catch_warnings():
            # Dagster's parser passes a parameter that Dagster calls beta.
            warnings.simplefilter("ignore", dg.BetaWarning)
            keys = {*dg.AssetSelection.from_string(text).resolve(repository.asset_graph)}
    except dg.DagsterError:
        raise ValueError(f"{text!r} {_FORM}") from None
    if not keys:
        groups = sorted(repository.asset_graph.all_group_names)
        raise ValueError(f"{text!r} selects no asset; the groups are {', '.join(groups)}")
    return keys
