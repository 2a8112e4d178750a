"""The DAG in MWAA's own surroundings: its Airflow, its folders, the packages of requirements.txt, the bundle that `make mwaa-package` makes, and the
options and the secret of the template.

Runs in an image that holds nothing else (cloud/airflow/test.Dockerfile). This repository's packages are on the path of the tests, but not of the
process that reads the DAG.
"""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from cloud import deployment, templates
from settings import Settings

HOME = Path("/usr/local/airflow")
SETTINGS = Settings(
    user_id="unit", databricks_url="https://dbc-1.cloud.databricks.com", databricks_token=SecretStr("the-token")
)
RESOURCES = templates.pipeline(SETTINGS)["Resources"]


def text(value: Any) -> str:
    """A text of the template, with the user's id in it."""
    return str(value["Fn::Sub"]).replace("${UserId}", SETTINGS.user_id) if isinstance(value, dict) else str(value)


@pytest.fixture(scope="module")
def secrets_manager() -> Iterator[str]:
    """The address of one that holds the template's secret and no other."""
    name, secret = text(RESOURCES["Connection"]["Properties"]["Name"]), deployment.connection(SETTINGS)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            found = self.headers["X-Amz-Target"] == "secretsmanager.GetSecretValue" and asked["SecretId"] == name
            self.send_response(200 if found else 400)
            self.end_headers()
            answer = {"Name": name, "SecretString": secret} if found else {"__type": "ResourceNotFoundException"}
            self.wfile.write(json.dumps(answer).encode())

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def read(secrets_manager: str) -> Any:
    """What Airflow reads, with what the startup script exports and the template sets, and nothing of the machine that the test runs on."""
    options = RESOURCES["Airflow"]["Properties"]["AirflowConfigurationOptions"]
    environment = {
        "PATH": os.environ["PATH"],
        "AIRFLOW_HOME": str(HOME),
        **{f"AIRFLOW__{name.upper().replace('.', '__')}": text(value) for name, value in options.items()},
        "AWS_ENDPOINT_URL_SECRETS_MANAGER": secrets_manager,
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "example",
    }
    script = Path(__file__).parent / "read_dag.py"
    command = ["sh", "-c", f'. {HOME}/startup.sh && exec "$0" -P "$1"', sys.executable, str(script)]
    done = subprocess.run(command, cwd=HOME, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_it_is_the_templates_airflow() -> None:
    assert version("apache-airflow") == RESOURCES["Airflow"]["Properties"]["AirflowVersion"]


def test_every_package_is_the_constraints() -> None:
    lines = (HOME / "dags" / "constraints.txt").read_text().splitlines()
    pins = dict(line.split("==") for line in lines if "==" in line)
    assert len(pins) > 100
    assert {name: version(name) for name in pins} == pins


def test_neither_the_dag_nor_what_comes_with_it_is_an_error(read: Any) -> None:
    assert read["errors"] == {}
    assert list(read["dags"]) == ["unit_dag"]
    assert read["settings"] == f"{HOME}/plugins/settings/__init__.py"


def test_it_is_the_laptops_dag(read: Any) -> None:
    dag = read["dags"]["unit_dag"]
    assert dag["timetable"]["__type"].endswith(".CronTriggerTimetable")
    assert dag["timetable"]["__var"]["expression"] == "0 0 * * *"
    tasks = [task["__var"] for task in dag["tasks"]]
    cleaning = ["clean_pin", "clean_geo", "clean_user"]
    assert [task["task_id"] for task in tasks] == [*cleaning, "answer_questions", "check_result"]
    assert {task["existing_cluster_id"] for task in tasks} == {"unit-cluster"}
    assert {task["spark_python_task"]["python_file"] for task in tasks} == {"/Workspace/unit/batch.py"}


def test_its_connection_is_the_templates_secret(read: Any) -> None:
    assert read["connection"] == ["databricks", "https://dbc-1.cloud.databricks.com", "the-token"]
