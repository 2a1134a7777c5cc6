"""What the tests of REST APIs stand on: the weather service, served once for a module."""

from collections.abc import Iterator

import pytest

from pipelines_project_tests.weather_api import TOKEN, WeatherApi, weather_api


@pytest.fixture(scope="module")
def served() -> Iterator[WeatherApi]:
    with weather_api() as api:
        yield api


@pytest.fixture
def api(served: WeatherApi, monkeypatch: pytest.MonkeyPatch) -> Iterator[WeatherApi]:
    """The weather service with nothing asked yet, and its secrets in the environment."""
    monkeypatch.setenv("WEATHER_TOKEN", TOKEN)
    monkeypatch.setenv("WEATHER_USER", "me@example.com")
    served.faults.requests.clear()
    yield served
    served.faults.clear()
    served.extra.clear()
