"""Definitions of the sources that load, where one of them does not.

Dagster loads a code location whole or not at all: one wrong `defs.yaml` would take every source's
schedules and sensors away. So the folders that load make up a project of their own, without
the broken ones, and each broken one is shown as an asset with a failing check.
"""

import atexit
import logging
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path

import dagster as dg

from pipelines_project.components.chosen_folders import project_of, with_given_paths
from pipelines_project.temporary import working_folder

_LOG = logging.getLogger(__name__)


def without_broken_sources(defs_folder: Path) -> dg.Definitions:
    """Return the definitions of every folder that loads, and a failing check for each other.

    A folder is broken if it does not load together with those that do: its YAML, an attribute or a
    model is wrong, it reads tables of a broken one, or it defines what another has defined.

    Args:
        defs_folder: holds a folder a source, and modules that all share.
    """
    stack = ExitStack()
    atexit.register(stack.close)
    place = Path(stack.enter_context(working_folder()))
    working: list[Path] = []
    defs, errors = _loaded(place, defs_folder, working), dict[Path, Exception]()
    waiting = sorted(path for path in defs_folder.iterdir() if _is_source(path))
    progress = True
    while progress:
        progress = False
        for folder in [each for each in waiting if each not in working]:
            try:
                defs = _loaded(place, defs_folder, [*working, folder])
            except Exception as error:
                errors[folder] = error
            else:
                working, progress = [*working, folder], True
    broken = {each.name: told(error) for each, error in errors.items() if each not in working}
    for name, error in broken.items():
        _LOG.error("%s does not load, and the other sources go on without it:\n%s", name, error)
    return dg.Definitions.merge(defs, _shown(broken))


def _is_source(path: Path) -> bool:
    return path.is_dir() and not path.name.startswith(("_", "."))


def _loaded(place: Path, defs_folder: Path, folders: Iterable[Path]) -> dg.Definitions:
    """Return the definitions of the folders and the shared modules; raises if they do not load."""
    project = project_of(place, folders, defs_folder.glob("*.py"))
    defs = dg.load_from_defs_folder(path_within_project=project)
    dg.Definitions.validate_loadable(defs)
    return defs


def told(error: BaseException) -> str:
    """Return what an error and those that it was raised from say, the innermost last."""
    said: list[str] = []
    cause: BaseException | None = error
    while cause is not None:
        text = f"{type(cause).__name__}: {cause}"
        said += [] if text in said else [text]
        # What is suppressed may quote a value that must not be shown, such as a misplaced secret.
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
    return with_given_paths("\n".join(said))


def _shown(broken: Mapping[str, str]) -> dg.Definitions:
    """Return an asset for each broken folder, whose check fails with the error."""
    return dg.Definitions.merge(*[_shown_folder(name, error) for name, error in broken.items()])


def _shown_folder(name: str, error: str) -> dg.Definitions:
    key = dg.AssetKey(["broken_definitions", name])
    asset = dg.AssetSpec(
        key,
        description=f"`defs/{name}` does not load, so the source has no assets, schedules and "
        f"sensors until it is mended and the code location is reloaded.\n\n```\n{error}\n```",
        group_name="broken_definitions",
    )

    @dg.asset_check(asset=key, name="definitions_load", description="The folder's files load.")
    def definitions_load() -> dg.AssetCheckResult:
        return dg.AssetCheckResult(passed=False, metadata={"error": dg.MetadataValue.text(error)})

    return dg.Definitions(assets=[asset], asset_checks=[definitions_load])
