"""A real driver, the API on a real port, and the vendor's own client. Runs in the image: `make test` does."""

import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import uvicorn
from databricks.sdk import WorkspaceClient
from databricks.sdk.service.jobs import NotebookTask, SparkPythonTask, SubmitTask
from databricks_jobs.app import create_app
from databricks_jobs.cluster import Cluster
from databricks_jobs.execution import Execution
from databricks_jobs.runs import Runs
from pydantic import SecretStr

from settings import Settings

TOKEN = "a token of this test"
NOTEBOOKS = Path(__file__).parents[3] / "databricks" / "notebooks"


@dataclass(frozen=True)
class Service:
    """The API under test, a folder for the files that it shall run, and one for its state. The workspace has the repository's notebooks."""

    url: str
    cluster: Cluster
    client: WorkspaceClient
    folder: Path
    state: Path

    @property
    def workspace(self) -> Path:
        return self.state / "workspace"

    @property
    def dbfs(self) -> Path:
        """Where the root of DBFS lies."""
        return self.state / "dbfs"

    def file(self, name: str, text: str) -> str:
        path = self.folder / name
        path.write_text(text)
        return str(path)

    def task(self, file: str, *arguments: str, key: str = "only", **options: object) -> SubmitTask:
        what = SparkPythonTask(python_file=file, parameters=list(arguments))
        return SubmitTask(task_key=key, existing_cluster_id="local", spark_python_task=what, **options)  # type: ignore[arg-type]

    def notebook(self, name: str, *cells: str) -> str:
        """A notebook of these cells; gives its path in the workspace."""
        file = self.workspace / f"{name}.py"
        file.parent.mkdir(exist_ok=True)
        file.write_text("# Databricks notebook source\n" + "\n\n# COMMAND ----------\n\n".join(cells))
        return f"/{name}"

    def notebook_task(self, path: str, **parameters: str) -> SubmitTask:
        what = NotebookTask(notebook_path=path, base_parameters=parameters)
        return SubmitTask(task_key="only", existing_cluster_id="local", notebook_task=what)

    def logs(self, run_id: int) -> str:
        run = self.client.jobs.get_run(run_id)
        assert run.tasks
        assert run.tasks[0].run_id
        return self.client.jobs.get_run_output(run.tasks[0].run_id).logs or ""


def until(condition: Callable[[], bool], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.05)


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    state = tmp_path_factory.mktemp("state")
    shutil.copytree(NOTEBOOKS, state / "workspace")
    (state / "dbfs").mkdir()
    cluster = Cluster(Settings(user_id="unit", spark_master_url="local[2]"), state / "mounts", f"file://{state}/dbfs")
    runs = Runs(tmp_path_factory.mktemp("runs"))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    execution = Execution(
        runs, cluster, "/opt/spark/bin/python", state / "workspace", mounts=state / "mounts", at_once=3
    )
    app = create_app(runs, execution, cluster, "local", SecretStr(TOKEN), "http://a-browser")
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="warning"))
    threading.Thread(target=server.run, daemon=True).start()
    until(lambda: server.started)
    yield Service(url, cluster, WorkspaceClient(host=url, token=TOKEN), tmp_path_factory.mktemp("files"), state)
    server.should_exit = True
