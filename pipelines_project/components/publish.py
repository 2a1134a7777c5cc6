"""What `publish: glue` of a source needs, which is looked at when its document is loaded."""

from importlib.util import find_spec

import dagster as dg

from pipelines_project.names import is_name

_DATABASE = "GLUE_DATABASE"


def check_publishing() -> None:
    """Refuse to publish where it cannot be done.

    Raises:
        ValueError: the landing zone is not in S3, boto3 is missing, or the database has no name
            that Glue and a query take as it is.
    """
    url = dg.EnvVar("LANDING_URL").get_value() or ""
    if not url.startswith(("s3://", "s3a://")):
        there = f"LANDING_URL is {url[:80]!r}" if url else "LANDING_URL is not set"
        raise ValueError(f"glue needs a landing zone in S3, because Athena reads there: {there}")
    if find_spec("boto3") is None:
        raise ValueError("glue needs boto3: install the project's extra glue")
    if not is_name(glue_database()):
        raise ValueError(
            f"{_DATABASE} is {glue_database()[:80]!r}, which is no name: use a-z, 0-9 and single "
            "underscores"
        )


def glue_database() -> str:
    """Return the database of Glue that `GLUE_DATABASE` names."""
    return dg.EnvVar(_DATABASE).get_value() or "landing"
