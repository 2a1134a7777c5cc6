"""Why a month did not land: the error that the others were raised from, and whether it may pass."""

from collections.abc import Iterator

import duckdb
import requests
from dlt.common.exceptions import DltException

from pipelines_project.landing.errors import DamagedLoadError


def is_passing_fault(error: BaseException) -> bool:
    """Tell whether landing the month again may help.

    A fault of the storage, a body that broke off, or another run's deleting may pass. The HTTP
    session has tried lost connections and bad statuses again already, and a `SourceError` says that
    trying is no use.
    """
    cause = root_cause(error)
    if isinstance(cause, requests.RequestException):
        return isinstance(cause, requests.exceptions.InvalidJSONError)
    return isinstance(cause, OSError | duckdb.IOException | DamagedLoadError)


def root_cause(error: BaseException) -> BaseException:
    """Return the error that dlt's own ones were raised from; what it was raised from tells less."""
    chain = [error, *_causes(error)]
    return next((each for each in chain if not isinstance(each, DltException)), chain[-1])


def _causes(error: BaseException) -> Iterator[BaseException]:
    while error.__cause__ is not None:
        error = error.__cause__
        yield error
