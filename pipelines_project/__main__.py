"""The command `python -m pipelines_project`, whose first argument says what to do."""

import sys

from pipelines_project import materialize_command, plan_command

_COMMANDS = {"materialize": materialize_command.main, "plan": plan_command.main}


def main() -> int:
    """Run the command that is named, with the arguments after its name."""
    name, *arguments = sys.argv[1:] or [""]
    if name not in _COMMANDS:
        sys.exit(f"usage: python -m pipelines_project {{{','.join(_COMMANDS)}}} …")
    return _COMMANDS[name](arguments)


if __name__ == "__main__":
    sys.exit(main())
