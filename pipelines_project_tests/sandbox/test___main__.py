"""The sandbox's command line serves until Ctrl-C."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import requests


@pytest.mark.stack
@pytest.mark.skipif(os.name == "nt", reason="Ctrl-C is sent as a signal")
def test_the_command_prints_the_setting_and_serves_until_ctrl_c() -> None:
    command = [sys.executable, "-m", "pipelines_project.sandbox", "--port", "0"]
    root = Path(__file__).parents[2]
    with subprocess.Popen(
        command,
        cwd=root,
        stdout=subprocess.PIPE,
        text=True,
        # It must not take Ctrl-C as ignored, as it is in the background of a script.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:
        assert process.stdout is not None
        name, url = process.stdout.readline().strip().split("=")
        answer = requests.get(
            f"{url}/player/hikaru/games/archives",
            headers={"User-Agent": "sandbox-tests (contact: me@example.com)"},
            timeout=5,
        )
        listed = answer.json()["archives"]
        process.send_signal(signal.SIGINT)

    assert (name, process.returncode) == ("export CHESS_API_URL", 0)
    assert listed[0] == f"{url}/player/hikaru/games/2023/01"
