"""The DAG in MWAA's own surroundings: its Airflow, its folders, the packages of requirements.txt, and the bundle that `make mwaa-package` makes.

Runs in an image that holds nothing else (cloud/airflow/test.Dockerfile): neither this repository's packages nor its settings are on the path.
"""

import json
import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

HOME = Path("/usr/local/airflow")


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What Airflow's parts get: the paths, and what the startup script exports. Nothing of the machine that the test runs on."""
    exports = subprocess.run(
        ["sh", "-c", f". {HOME}/startup.sh && env"], check=True, capture_output=True, text=True, env={}
    ).stdout
    script = dict(line.split("=", 1) for line in exports.splitlines())
    home = tmp_path_factory.mktemp("airflow")
    image = {name: os.environ[name] for name in ("PATH", "PYTHONPATH")}
    return {**image, **script, "AIRFLOW_HOME": str(home)}


PRINT_DAG = f"""
import json
from airflow.dag_processing.dagbag import DagBag
bag = DagBag({str(HOME / "dags")!r}, include_examples=False)
dags = {{name: [dag.timetable.expression, {{task.task_id: sorted(task.upstream_task_ids) for task in dag.tasks}}] for name, dag in bag.dags.items()}}
cluster = [task.json["existing_cluster_id"] for dag in bag.dags.values() for task in dag.tasks]
file = [task.json["spark_python_task"]["python_file"] for dag in bag.dags.values() for task in dag.tasks]
print("found:" + json.dumps([bag.import_errors, dags, sorted(set(cluster)), sorted(set(file))]))
"""


def test_it_is_the_airflow_that_was_asked_for() -> None:
    pinned = [
        line for line in (HOME / "requirements.txt").read_text().splitlines() if line.startswith("apache-airflow==")
    ]
    assert pinned == [f"apache-airflow=={version('apache-airflow')}"]


def test_every_package_is_the_constraints() -> None:
    lines = (HOME / "dags" / "constraints.txt").read_text().splitlines()
    pins = dict(line.split("==") for line in lines if "==" in line)
    assert len(pins) > 100
    assert {name: version(name) for name in ("apache-airflow-providers-databricks", "pydantic-settings")} == {
        name: pins[name] for name in ("apache-airflow-providers-databricks", "pydantic-settings")
    }


def test_the_dag_is_read_without_an_error_and_is_the_laptops(environment: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PRINT_DAG], capture_output=True, text=True, env=environment, check=False, cwd=HOME
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (line,) = (line for line in done.stdout.splitlines() if line.startswith("found:"))
    errors, dags, clusters, files = json.loads(line.removeprefix("found:"))
    assert errors == {}
    cleaning = ["clean_geo", "clean_pin", "clean_user"]
    tasks = {name: [] for name in cleaning} | {"answer_questions": cleaning, "check_result": ["answer_questions"]}
    assert dags == {"unit_dag": ["@daily", tasks]}
    assert clusters == ["unit-cluster"]
    assert files == ["/Workspace/unit/batch.py"]
