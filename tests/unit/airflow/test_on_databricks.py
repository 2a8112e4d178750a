"""The DAG's tasks, carried out by Airflow's own operator on the API of services/databricks. Runs in Airflow's image, as test_batch.py does.

The API and the processes that it starts are the real ones; the cluster is not, and the tasks' interpreter is a script of the test.
"""

import json
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from airflow.dag_processing.dagbag import DagBag
from airflow.exceptions import AirflowException
from airflow.providers.databricks.operators.databricks import DatabricksSubmitRunOperator
from pydantic import SecretStr

ROOT = Path(__file__).parents[3]
sys.path.append(str(ROOT / "services" / "databricks"))

from databricks_jobs.app import create_app  # noqa: E402
from databricks_jobs.execution import Execution  # noqa: E402
from databricks_jobs.runs import Result, Run, Runs  # noqa: E402

from stack.waiting import wait_until  # noqa: E402

TOKEN = "a token of this test"
Operators = Callable[[str], dict[str, DatabricksSubmitRunOperator]]


class NoCluster:
    """A cluster that nobody computes on."""

    is_alive = True

    @contextmanager
    def gateway(self) -> Iterator[dict[str, str]]:
        yield {}

    def cancel(self, tag: str) -> None:
        pass


@pytest.fixture
def runs(tmp_path: Path) -> Runs:
    return Runs(tmp_path)


@pytest.fixture
def operators(runs: Runs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Operators]:
    """The DAG's operators, against an API whose tasks are run by this script."""
    servers = []

    def make(script: str) -> dict[str, DatabricksSubmitRunOperator]:
        program = tmp_path / "python"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        cluster: Any = NoCluster()
        execution = Execution(runs, cluster, str(program), tmp_path, tmp_path, at_once=1)
        app = create_app(runs, execution, cluster, "local", SecretStr(TOKEN), "http://a-browser")
        server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="warning"))
        servers.append(server)
        threading.Thread(target=server.run, daemon=True).start()
        wait_until(lambda: server.started, 60, lambda: AssertionError("The API did not start."), every=0.02)
        connection = {"conn_type": "databricks", "schema": "http", "host": "127.0.0.1", "port": port, "password": TOKEN}
        monkeypatch.setenv("AIRFLOW_CONN_DATABRICKS", json.dumps(connection))
        monkeypatch.setenv("PIPELINE_ENV", "container")
        monkeypatch.setenv("PIPELINE_ENV_FILE", str(tmp_path / "none"))
        monkeypatch.setenv("USER_ID", "0a1b2c")
        dag = DagBag(ROOT / "airflow" / "dags").dags["0a1b2c_dag"]
        for task in dag.tasks:
            task.do_xcom_push = False
            task.polling_period_seconds = 0.1
            task.render_template_fields({"params": {"full": True}, "dag": dag, "task": task})
        return dag.task_dict

    yield make
    for server in servers:
        server.should_exit = True


def only(runs: Runs) -> Run:
    (run,) = runs.newest(2)
    return run


def test_a_task_is_done_when_databricks_has_done_it(operators: Operators, runs: Runs) -> None:
    operators('echo "$@"')["clean_pin"].execute({})
    run = only(runs)
    assert (run.run_name, run.state.result_state) == ("clean_pin", Result.SUCCESS)
    assert runs.log(run.tasks[0]).read_text().endswith("/opt/pipeline/spark_jobs/batch.py clean pin --full\n")


def test_a_notebook_is_taken_from_airflow_too(operators: Operators, runs: Runs) -> None:
    operators('echo "$@"')
    DatabricksSubmitRunOperator(
        task_id="notebook",
        databricks_conn_id="databricks",
        existing_cluster_id="local",
        notebook_task={"notebook_path": "/pinterest_batch_data", "base_parameters": {"user_id": "0a1b2c"}},
        polling_period_seconds=0.1,
        do_xcom_push=False,
    ).execute({})
    order = json.loads(runs.log(only(runs).tasks[0]).read_text().partition("notebook_task ")[2])
    assert (order["path"], order["parameters"]) == ("/pinterest_batch_data", {"user_id": "0a1b2c"})


def test_a_task_fails_with_what_the_job_said_last(operators: Operators) -> None:
    with pytest.raises(AirflowException, match=r"clean_geo failed .*'error': 'clean geo failed: no such bucket'"):
        operators("echo under way; echo clean geo failed: no such bucket; exit 1")["clean_geo"].execute({})


def test_a_task_that_airflow_gives_up_is_cancelled(operators: Operators, runs: Runs) -> None:
    task = operators("sleep 60")["check_result"]
    task.wait_for_termination = False
    task.execute({})
    task.on_kill()
    wait_until(lambda: only(runs).state.has_ended, 30, lambda: AssertionError("It goes on."), every=0.02)
    assert only(runs).state.result_state == Result.CANCELED
