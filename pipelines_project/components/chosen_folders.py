"""A Dagster project of some folders of definitions only, wherever they are."""

import shutil
import sys
from collections.abc import Iterable
from itertools import count
from pathlib import Path

_PROJECT = """\
[tool.dg]
directory_type = "project"

[tool.dg.project]
root_module = "{name}"
defs_module = "{name}.defs"
"""
_numbers = count(1)
_linked = dict[str, str]()


def project_of(place: Path, folders: Iterable[Path], modules: Iterable[Path] = ()) -> Path:
    """Make a project whose `defs` folder links to folders and modules, and return its path.

    Its package can be imported from then on.

    Args:
        place: an empty folder, which must stay as long as the project is used.
        folders: of sources.
        modules: that all sources share.
    """
    name = f"chosen_folders_{next(_numbers)}"
    project = place / f"{name}_project"
    defs = project / name / "defs"
    defs.mkdir(parents=True)
    (project / name / "__init__.py").touch()
    for path in folders:
        (defs / path.name).symlink_to(path.resolve())
        _linked[str(defs / path.name)] = str(path.resolve())
    for path in modules:
        # A link's own place is not where Dagster 1.13.1 looks for a module.
        shutil.copy(path, defs)
        _linked[str(defs / path.name)] = str(path.resolve())
    (project / "pyproject.toml").write_text(_PROJECT.format(name=name))
    sys.path.append(str(project))
    return project


def with_given_paths(text: str) -> str:
    """Return a text that names each folder and module where it is, and not its link."""
    for link, path in _linked.items():
        text = text.replace(link, path)
    return text
