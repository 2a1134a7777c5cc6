"""The extras of the project: what is installed only where it is needed."""


def how_to_install(extra: str) -> str:
    """Return the command that installs an extra, in the folder of the project."""
    return f"python -m pip install -c constraints.txt -e '.[{extra}]'"
