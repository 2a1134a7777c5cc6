"""The units of one machine."""

import sys
from configparser import ConfigParser
from pathlib import Path

import pytest

from pipelines_project_tests.deploy.compose_file import ROOT

_UNITS = sorted((ROOT / "deploy" / "systemd").glob("*.service"))


@pytest.mark.parametrize("unit", _UNITS, ids=lambda unit: unit.stem)
def test_a_unit_starts_a_program_of_the_environment_with_the_projects_instance(unit: Path) -> None:
    said = ConfigParser(strict=False, interpolation=None)
    said.read(unit)
    service = said["Service"]
    folder = Path(service["WorkingDirectory"])
    program, *arguments = service["ExecStart"].split()

    assert Path(program).parent == folder / ".venv" / "bin"
    assert (Path(sys.executable).parent / Path(program).name).exists()
    assert (ROOT / arguments[arguments.index("-w") + 1]).exists()
    home = f"Environment=DAGSTER_HOME={folder}/data/dagster\n"
    assert home in unit.read_text()
    assert (ROOT / "data" / "dagster" / "dagster.yaml").exists()
