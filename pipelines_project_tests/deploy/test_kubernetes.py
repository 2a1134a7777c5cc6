"""The values of Dagster's Helm chart; neither Helm nor a cluster is here, so no pod is run."""

import importlib.util
import re
from typing import Any

import yaml
from dagster._config import validate_config
from dagster._core.instance.config import dagster_instance_config_schema
from dagster_k8s import K8sRunLauncher
from dagster_k8s.job import UserDefinedDagsterK8sConfig

from pipelines_project_tests.deploy.compose_file import ROOT


def _values() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "deploy" / "kubernetes" / "values.yaml").read_text())


def _instance(folder: str) -> dict[str, Any]:
    return yaml.safe_load((ROOT / folder / "dagster.yaml").read_text())


def test_dagster_takes_what_the_chart_adds_to_its_instance() -> None:
    added = _values()["additionalInstanceConfig"]
    schema = {name: dagster_instance_config_schema()[name] for name in added}
    assert validate_config(schema, added).success
    # The chart writes these itself unless they are switched off, and then the file has them twice.
    for name in ("runCoordinator", "runMonitoring", "runRetries"):
        assert _values()["dagsterDaemon"][name] == {"enabled": False}


def test_a_killed_run_is_done_again_everywhere_and_a_failed_month_is_not() -> None:
    several = [_instance("deploy"), _values()["additionalInstanceConfig"]]
    alone = _instance("data/dagster")
    for settings in several:
        assert settings["run_retries"] == alone["run_retries"]
        assert settings["concurrency"]["pools"] == alone["concurrency"]["pools"]
        start_timeout = settings["run_monitoring"].pop("start_timeout_seconds")
        assert start_timeout >= 180
        assert settings["run_monitoring"] == alone["run_monitoring"]


def test_the_launcher_takes_what_is_said_of_a_runs_pod() -> None:
    launcher = _values()["runLauncher"]
    assert launcher["type"] == K8sRunLauncher.__name__
    said = launcher["config"]["k8sRunLauncher"]
    assert {*said} == {"imagePullPolicy", "runK8sConfig"}
    of_the_container = said["runK8sConfig"]["containerConfig"]
    config = {
        "service_account_name": "dagster",
        "instance_config_map": "dagster-instance",
        "image_pull_policy": said["imagePullPolicy"],
        "run_k8s_config": {"container_config": of_the_container},
    }
    assert validate_config(K8sRunLauncher.config_type(), config).success
    assert UserDefinedDagsterK8sConfig.from_dict({"container_config": of_the_container})


def test_the_code_server_is_the_image_with_settings_that_there_are() -> None:
    [deployment] = _values()["dagster-user-deployments"]["deployments"]
    option, module = deployment["dagsterApiGrpcArgs"]
    assert option == "-m"
    assert importlib.util.find_spec(module)
    documented = (ROOT / "docs" / "settings.md").read_text()
    for variable in deployment["env"]:
        assert f"`{variable['name']}`" in documented


def test_the_chart_has_the_version_of_dagster_and_reaches_postgresql_by_its_driver() -> None:
    text = (ROOT / "deploy" / "kubernetes" / "values.yaml").read_text()
    [version] = re.findall(r"--version (\S+)", text)
    assert f"\ndagster=={version}\n" in (ROOT / "constraints.txt").read_text()
    assert _values()["postgresql"]["postgresqlScheme"] == "postgresql+psycopg2"
