"""A URL is opened; keys, endpoint and region of an S3 are found where AWS's tools and dlt look."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines_project.landing.errors import LandingError
from pipelines_project.landing.open_store import s3_options
from pipelines_project.landing.zone import LandingZone
from pipelines_project_tests.landings import land, place_of
from pipelines_project_tests.object_store import Fault, Gate

PLACE = "DESTINATION__FILESYSTEM__CREDENTIALS__"


def _land(store: Gate) -> None:
    land(place_of(LandingZone(url=f"s3://{store.bucket()}/landing")), [{"id": 1}])


@pytest.mark.stack
def test_the_variables_name_keys_and_region(store: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "ours")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")

    _land(store)

    assert store.signed == {("ours", "eu-central-1")}


@pytest.mark.stack
def test_a_profile_names_keys_region_and_endpoint(
    store: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "DEFAULT_REGION", "ENDPOINT_URL"):
        monkeypatch.delenv(f"AWS_{name}")
    monkeypatch.setenv("AWS_PROFILE", "warehouse")
    Path(os.environ["AWS_SHARED_CREDENTIALS_FILE"]).write_text(
        "[warehouse]\naws_access_key_id = of-profile\naws_secret_access_key = secret\n"
    )
    Path(os.environ["AWS_CONFIG_FILE"]).write_text(
        f"[profile warehouse]\nregion = eu-west-3\nendpoint_url = {store.url}\n"
    )

    _land(store)

    assert store.signed == {("of-profile", "eu-west-3")}


@pytest.mark.stack
def test_the_keys_of_dlts_filesystem_are_taken_first(
    store: Gate, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".dlt").mkdir()
    (tmp_path / ".dlt" / "secrets.toml").write_text(
        "[destination.filesystem.credentials]\n"
        'aws_access_key_id = "of-dlt"\naws_secret_access_key = "secret"\n'
        f'region_name = "eu-north-1"\nendpoint_url = "{store.url}"\n'
    )
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    script = (
        "import sys\n"
        "from pipelines_project.landing.zone import LandingZone\n"
        "print(LandingZone(sys.argv[1]).month('demo', 'events', '2023-01').current_load())\n"
    )
    url = f"s3://{store.bucket()}/landing"
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}

    command = [sys.executable, "-c", script, url]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )

    assert done.stdout == "None\n", done.stderr
    assert store.signed == {("of-dlt", "eu-north-1")}


def test_dlts_settings_name_every_option(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.setenv(f"{PLACE}{name}", name.lower())
    monkeypatch.setenv(f"{PLACE}REGION_NAME", "eu-north-1")

    assert s3_options() == {
        "key": "aws_access_key_id",
        "secret": "aws_secret_access_key",
        "token": "aws_session_token",
        "client_kwargs": {"region_name": "eu-north-1"},
    }


def test_half_a_pair_of_keys_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"{PLACE}AWS_ACCESS_KEY_ID", "ours")

    with pytest.raises(LandingError, match=r"aws_secret_access_key .*give both"):
        _ = LandingZone(url="s3://bucket/landing").fs


@pytest.mark.stack
def test_no_keys_at_all_are_told_in_a_sentence(
    store: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"s3://{store.bucket()}/landing"
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")

    with pytest.raises(LandingError, match=r"cannot list .*LANDING_URL: .*credentials"):
        place_of(LandingZone(url=url)).current_load()

    assert store.asked == []


@pytest.mark.stack
def test_a_refused_key_is_told_in_a_sentence(store: Gate) -> None:
    place = place_of(LandingZone(url=f"s3://{store.bucket()}/landing"))
    store.fail(Fault("denied"))

    with pytest.raises(LandingError, match=r"cannot list .*LANDING_URL: .*Access Denied"):
        place.current_load()


@pytest.mark.parametrize(
    ("url", "package"), [("gs://bucket/landing", "gcsfs"), ("az://box/landing", "adlfs")]
)
def test_a_store_whose_package_is_missing_is_told_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch, url: str, package: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)

    with pytest.raises(LandingError, match=f"LANDING_URL is '{url}': .*{package}"):
        _ = LandingZone(url=url).fs


@pytest.mark.stack
def test_the_extra_that_brings_s3_is_named() -> None:
    script = (
        "import sys\n"
        "sys.modules['s3fs'] = sys.modules['botocore'] = None\n"
        "from pipelines_project.landing.zone import LandingZone\n"
        "from pipelines_project.landing import land_month\n"
        "LandingZone('s3://bucket/landing').fs\n"
    )

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)

    assert "LandingError: LANDING_URL is 's3://bucket/landing': Install s3fs" in done.stderr
    assert "the project's extra s3" in done.stderr
