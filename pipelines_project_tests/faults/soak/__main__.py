"""The soak from the command line: `make soak`, for so many minutes and with a seed of one's own."""

import argparse
import random
import sys
import tempfile
from pathlib import Path

from pipelines_project.demo.child_process import exit_on_signals
from pipelines_project_tests.faults.soak.soak import soak


def main() -> None:
    """Soak, print what came of it, and exit with 1 if anything is not as it was served."""
    parser = argparse.ArgumentParser(prog="python -m pipelines_project_tests.faults.soak")
    parser.add_argument("--minutes", type=float, default=30, help="for how long (%(default)s)")
    parser.add_argument("--seed", type=int, help="of the plan; one that was printed repeats it")
    options = parser.parse_args()
    seed = random.SystemRandom().randrange(10**6) if options.seed is None else options.seed
    print(f"seed {seed}: SEED={seed} repeats this plan", flush=True)
    exit_on_signals()
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        is_whole = soak(Path(folder), seed, options.minutes)
    sys.exit(not is_whole)


if __name__ == "__main__":
    main()
