"""A real driver, the API on a real port, and the vendor's own client. Runs in the image: `make test` does."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import uvicorn
from databricks.sdk import WorkspaceClient
from databricks.sdk.service.jobs import SparkPythonTask, SubmitTask
from databricks_jobs.app import create_app
from databricks_jobs.cluster import Cluster
from databricks_jobs.execution import Execution
from databricks_jobs.runs import Runs
from pydantic import SecretStr

from settings import Settings

TOKEN = "a token of this test"


@dataclass(frozen=True)
class Service:
    """The API under test, and a folder for the files that it shall run."""

    url: str
    cluster: Cluster
    client: WorkspaceClient
    folder: Path

    def file(self, name: str, text: str) -> str:
        path = self.folder / name
        path.write_text(text)
        return str(path)

    def task(self, file: str, *arguments: str, key: str = "only", **options: object) -> SubmitTask:
        what = SparkPythonTask(python_file=file, parameters=list(arguments))
        return SubmitTask(task_key=key, existing_cluster_id="local", spark_python_task=what, **options)  # type: ignore[arg-type]

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
    cluster = Cluster(Settings(user_id="unit", spark_master_url="local[2]"))
    runs = Runs(tmp_path_factory.mktemp("runs"))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    execution = Execution(runs, cluster, "/opt/spark/bin/python", at_once=3)
    app = create_app(runs, execution, cluster, "local", SecretStr(TOKEN), "http://a-browser")
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="warning"))
    threading.Thread(target=server.run, daemon=True).start()
    until(lambda: server.started)
    yield Service(url, cluster, WorkspaceClient(host=url, token=TOKEN), tmp_path_factory.mktemp("files"))
    server.should_exit = True
