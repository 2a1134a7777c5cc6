"""What the commands take alike: settings from the file `.env`, and months as an argument."""

import argparse
import os
import warnings
from pathlib import Path

from dotenv import load_dotenv

from pipelines_project.months import named_months


def read_settings() -> None:
    """Set what the file `.env` says; as with Dagster's own commands, it wins."""
    load_dotenv(Path(".env"), override=True)


def begin(parser: argparse.ArgumentParser) -> None:
    """Read the settings, and end the command if they name no place for Dagster's history."""
    read_settings()
    # Dagster warns of what it does itself.
    warnings.simplefilter("ignore")
    if not os.environ.get("DAGSTER_HOME"):
        parser.error("DAGSTER_HOME is not set: export DAGSTER_HOME=$PWD/data/dagster")


def months(text: str) -> list[str]:
    """Return the months that an argument names, such as `2024-01` or `2019-01...2024-12`."""
    try:
        return named_months(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
