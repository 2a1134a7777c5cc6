"""The command `python -m pipelines_project.marts test <folder>` runs the tests of models."""

import argparse
import sys
from pathlib import Path

from pipelines_project.marts.model_tests import failures, models_with_tests


def main(arguments: list[str]) -> int:
    """Run the tests of every model below the folder; return how many models fail."""
    parser = argparse.ArgumentParser(prog="python -m pipelines_project.marts")
    commands = parser.add_subparsers(required=True)
    test = commands.add_parser("test", help="run each <model>.tests.yaml below a folder")
    test.add_argument("folder", type=Path, help="such as pipelines_project/defs/chess")
    folder: Path = parser.parse_args(arguments).folder
    models = models_with_tests(folder)
    if not models:
        print(f"{folder} has no *.tests.yaml", file=sys.stderr)
        return 1
    failed = 0
    for path in models:
        try:
            reasons = failures(path)
        except (ValueError, OSError) as error:
            reasons = {"": str(error)}
        failed += bool(reasons)
        print(f"{'FAILED' if reasons else 'passed'} {path}")
        for name, reason in reasons.items():
            print(f"  {name}\n    {reason}".replace("\n", "\n    "))
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
