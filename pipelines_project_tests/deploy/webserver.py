"""What a person does in the UI: launching runs and cancelling them."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import requests

from pipelines_project_tests.code_location import range_tags

_LAUNCH = """
mutation launch($params: ExecutionParams!) {
  launchRun(executionParams: $params) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
    ... on PythonError { message }
  }
}
"""
_CANCEL = """
mutation cancel($run: String!) {
  terminateRun(runId: $run) { ... on TerminateRunSuccess { run { runId } } }
}
"""


@dataclass(frozen=True)
class Webserver:
    """A webserver of Dagster at a URL."""

    url: str

    def launch(self, months: Sequence[str], *keys: str) -> str:
        """Launch a run of months of assets, which follow each other, and return its id."""
        selector = {
            "repositoryLocationName": "pipelines_project.definitions",
            "repositoryName": "__repository__",
            "jobName": "__ASSET_JOB",
            "assetSelection": [{"path": key.split("/")} for key in keys],
        }
        month = {"dagster/partition": months[0]}
        said = range_tags(months[0], months[-1]) if len(months) > 1 else month
        tags = [{"key": key, "value": value} for key, value in said.items()]
        params = {"selector": selector, "executionMetadata": {"tags": tags}}
        answer = self.ask(_LAUNCH, params=params)["launchRun"]
        assert "run" in answer, answer
        return answer["run"]["runId"]

    def cancel(self, run_id: str) -> None:
        """Cancel a run as the UI does."""
        assert self.ask(_CANCEL, run=run_id)["terminateRun"]

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """Return what the webserver answers to a query, nothing while it starts."""
        body = {"query": query, "variables": variables}
        with suppress(requests.ConnectionError):
            answer = requests.post(f"{self.url}/graphql", json=body, timeout=60).json()
            assert "errors" not in answer, answer
            return answer["data"]
        return {}
