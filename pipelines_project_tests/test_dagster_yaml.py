"""The Dagster instance of `data/dagster/dagster.yaml`."""

import shutil
from pathlib import Path

import dagster as dg
import pytest

_YAML = Path(__file__).parent.parent / "data" / "dagster" / "dagster.yaml"


@pytest.mark.stack
def test_the_console_tells_what_assets_say_and_not_each_step_of_dagster(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    @dg.asset
    def games(context: dg.AssetExecutionContext) -> None:
        context.log.info("2024-01: 7 rows landed")

    shutil.copy(_YAML, tmp_path)
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        assert dg.materialize([games], instance=instance).success

    said = capfd.readouterr().err
    assert "2024-01: 7 rows landed" in said
    assert "STEP_START" not in said
