"""The asset bundle, by Databricks' own types of its resources, and the wheel, really built."""

import configparser
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from databricks.bundles.clusters import Cluster
from databricks.bundles.jobs import Job

from settings import AWS, FRAMES, Settings

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "databricks"
TEXT = (FOLDER / "databricks.yml").read_text()
BUNDLE: dict[str, Any] = yaml.safe_load(TEXT)
JOBS: dict[str, Any] = BUNDLE["resources"]["jobs"]
CLUSTER: dict[str, Any] = BUNDLE["resources"]["clusters"]["pinterest"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """As `uv build --wheel` has it built, without fetching anything."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(build, cwd=FOLDER, check=True, capture_output=True)
    (file,) = folder.glob("*.whl")
    return zipfile.ZipFile(file)


def test_databricks_knows_every_field() -> None:
    """Its types refuse what they do not know."""
    for job in JOBS.values():
        assert Job.from_dict(job).as_dict() == job
    assert Cluster.from_dict(CLUSTER).as_dict() == CLUSTER
    with pytest.raises(ValueError, match="notebook_tusk"):
        Job.from_dict({"tasks": [{"task_key": "a", "notebook_tusk": {}}]})


def test_every_reference_leads_somewhere() -> None:
    used = set(re.findall(r"\$\{var\.(\w+)\}", TEXT))
    assert used == set(BUNDLE["variables"])
    assert set(re.findall(r"\$\{resources\.([\w.]+)\}", TEXT)) == {"clusters.pinterest.id"}
    for path in BUNDLE["sync"]["paths"]:
        assert (FOLDER / path).is_dir()


def test_the_batch_jobs_steps_are_the_dags() -> None:
    """tests/unit/airflow holds the DAG to the same."""
    tasks = {task["task_key"]: task for task in JOBS["batch"]["tasks"]}
    steps = {key: task["python_wheel_task"]["parameters"] for key, task in tasks.items()}
    cleaning = {f"clean_{frame}": ["clean", frame] for frame in FRAMES}
    assert steps == cleaning | {"answer_questions": ["answer"], "check_result": ["check"]}
    after = {key: {other["task_key"] for other in task.get("depends_on", [])} for key, task in tasks.items()}
    assert after["answer_questions"] == set(cleaning)
    assert after["check_result"] == {"answer_questions"}


def test_every_task_brings_the_wheel_and_names_what_is_in_it(wheel: zipfile.ZipFile) -> None:
    (listed,) = (name for name in wheel.namelist() if name.endswith("entry_points.txt"))
    entries = configparser.ConfigParser()
    entries.read_string(wheel.read(listed).decode())
    for task in (task for job in JOBS.values() for task in job["tasks"]):
        assert task["libraries"] == [{"whl": "dist/*.whl"}]
        what = task["python_wheel_task"]
        assert listed.startswith(what["package_name"].replace("-", "_"))
        module, _, function = entries["console_scripts"][what["entry_point"]].partition(":")
        assert f"\ndef {function}() -> None:" in wheel.read(f"{module.replace('.', '/')}.py").decode()


def test_the_wheel_holds_the_code_and_no_values(wheel: zipfile.ZipFile) -> None:
    held = {name for name in wheel.namelist() if ".dist-info/" not in name}
    folders = (ROOT / "spark_jobs", ROOT / "settings")
    code = {str(file.relative_to(ROOT)) for folder in folders for file in folder.rglob("*.py")}
    assert held == code
    assert len(code) > 25


def test_the_wheels_version_is_the_repositorys(wheel: zipfile.ZipFile) -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert f"-{version}-" in str(wheel.filename)


def test_a_cluster_finds_its_settings_in_its_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """There is no file of values beside the wheel."""
    monkeypatch.setattr("settings._HERE", tmp_path)
    values = {"${var.user_id}": "0a1b2c", "${var.aws_region}": "eu-west-1"}
    for name, value in CLUSTER["spark_env_vars"].items():
        monkeypatch.setenv(name, values.get(value, value))
    settings = Settings.load()
    assert CLUSTER["spark_env_vars"]["PIPELINE_ENV"] == AWS
    assert (settings.bucket, settings.aws_region) == ("user-0a1b2c-bucket", "eu-west-1")
    assert settings.spark_master_url == ""


def test_a_cluster_reads_and_writes_as_the_local_one_does() -> None:
    lines = (ROOT / "services/spark/spark-defaults.conf").read_text().splitlines()
    local = dict(line.split(maxsplit=1) for line in lines if line.startswith("spark."))
    conf = CLUSTER["spark_conf"]
    assert conf == {name: local[name] for name in conf}
    assert len(conf) == 4


def test_the_clusters_runtime_has_spark_4() -> None:
    """Databricks' 17 is the first."""
    version = BUNDLE["variables"]["spark_version"]["default"]
    found = re.fullmatch(r"(\d+)\.\d+\.x-scala2\.13", version)
    assert found
    assert int(found[1]) >= 17
