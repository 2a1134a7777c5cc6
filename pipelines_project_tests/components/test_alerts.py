"""Alerts as a document of a `defs.yaml`: a sensor a channel, and what is refused."""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import dagster as dg
import pytest
from starlette.responses import Response

from pipelines_project.broken_sources import told
from pipelines_project_tests.alerts.receivers import hook, mailbox
from pipelines_project_tests.code_location import LANDING, code_location
from pipelines_project_tests.document_location import loaded

pytestmark = pytest.mark.stack

_PAGE = Path(__file__).parents[2] / "docs" / "alerts.md"
# The document that the page on alerts shows, whatever the project's own variables are.
[_SHOWN] = re.findall(r"```yaml\n(.*?)```", _PAGE.read_text(encoding="utf-8"), re.S)
_DOCUMENT = _SHOWN.replace("ALERTS_WEBHOOK_URL", "TRIAL_WEBHOOK_URL").replace(
    "SMTP_URL", "TRIAL_SMTP_URL"
)


def _sensors(defs: dg.Definitions) -> dict[str, dg.SensorDefinition]:
    return {each.name: each for each in defs.get_repository_def().sensor_defs}


def _skipped(result: object) -> str:
    assert isinstance(result, dg.SensorResult)
    assert result.skip_reason
    return str(result.skip_reason.skip_message)


def test_a_channel_whose_variable_is_set_is_on_and_the_other_says_why_it_is_off(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRIAL_WEBHOOK_URL", "http://127.0.0.1:1/")
    with loaded(_DOCUMENT) as defs:
        sensors = _sensors(defs)

    assert sensors["alerts_webhook"].default_status is dg.DefaultSensorStatus.RUNNING
    assert sensors["alerts_email"].default_status is dg.DefaultSensorStatus.STOPPED
    assert "variable is not set" in str(sensors["alerts_email"].description)
    said = _skipped(sensors["alerts_email"](dg.build_sensor_context(instance)))
    assert said == "TRIAL_SMTP_URL is not set, so nobody is told"


def test_without_a_channel_there_is_no_sensor() -> None:
    with loaded("type: pipelines_project.components.Alerts\nattributes: {}\n") as defs:
        assert _sensors(defs) == {}


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("{webhook: 'https://hooks.example.org/secret'}", "not the secret that it holds"),
        ("{email: {to: [], from: a@b, smtp: X}}", "email.to: give an e-mail address"),
        ("{email: {to: [nobody], from: a@b, smtp: X}}", "email.to: give an e-mail address"),
        ("{email: {to: [a@b], smtp: X}}", "email.from: is needed"),
        ("{email: {to: [a@b], from: a@b, smtp: 'smtp://u:secret@h'}}", "not the secret"),
        ("{stale_after_days: 0}", "stale_after_days: must be more than 0"),
    ],
)
def test_what_is_wrong_in_the_document_is_named_and_no_secret_is_quoted(
    wrong: str, said: str
) -> None:
    document = f"type: pipelines_project.components.Alerts\nattributes: {wrong}\n"
    with pytest.raises(Exception, match="Alerts") as refused, loaded(document):
        pass

    text = told(refused.value)
    assert "defs.yaml:2 - attributes" in text
    assert said in text
    assert "hooks.example.org" not in text
    assert "u:secret" not in text


def _looked(sensors: Sequence[dg.SensorDefinition], instance: dg.DagsterInstance) -> list[str]:
    """Let each sensor look for the first time, and return their cursors."""
    results = [sensor(dg.build_sensor_context(instance)) for sensor in sensors]
    return [str(each.cursor) for each in results if isinstance(each, dg.SensorResult)]


def test_a_failed_run_comes_by_webhook_and_by_email(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (
        hook() as receiver,
        mailbox() as box,
        dg.instance_for_test() as on_disk,
        code_location(tmp_path) as location,
    ):
        chess = replace(location, instance=on_disk)
        monkeypatch.setenv("TRIAL_WEBHOOK_URL", receiver.url)
        monkeypatch.setenv("TRIAL_SMTP_URL", box.url)
        with loaded(_DOCUMENT) as defs:
            sensors = [*_sensors(defs).values()]
            cursors = _looked(sensors, chess.instance)
            chess.faults.answer_always("hikaru/games/2024/02", Response(status_code=404))
            failed = chess.materialize("2024-02", LANDING)
            for sensor, cursor in zip(sensors, cursors, strict=True):
                context = dg.build_sensor_context(chess.instance, cursor=cursor)
                assert _skipped(sensor(context)) == "1 delivered"

    title = "landing/chess/games 2024-02 failed"
    link = f"http://127.0.0.1:3000/runs/{failed.result.run_id}"
    [text], [message] = receiver.texts, box.messages
    assert text.startswith(f"*{title}*\n")
    assert message["Subject"] == title
    for said in (text, message.get_content()):
        assert link in said
        assert "404" in said


def test_the_project_tells_nobody_until_a_variable_is_set(tmp_path: Path) -> None:
    with code_location(tmp_path) as location:
        off = _sensors(location.defs)["alerts_webhook"]
    with code_location(tmp_path, ALERTS_WEBHOOK_URL="http://127.0.0.1:1") as location:
        on = _sensors(location.defs)["alerts_webhook"]

    assert off.default_status is dg.DefaultSensorStatus.STOPPED
    assert on.default_status is dg.DefaultSensorStatus.RUNNING
