"""Databricks by its Jobs API: start a run of the batch job, follow it, and say what it wrote."""

import re
import time
from collections.abc import Sequence
from typing import Any

import requests

from settings import Settings
from stack.errors import StackError

_JAVA_FRAME = re.compile(r"\s*(at [\w.$/<>]+\(|\.\.\. \d+ more)")

ENDED = ("TERMINATED", "SKIPPED", "INTERNAL_ERROR")
"""The life cycle states in which a run stays."""


class DatabricksError(StackError):
    """Databricks does not do what was asked, or does not say what a run wrote."""


def submit(settings: Settings, name: str, arguments: Sequence[str]) -> int:
    """Start a run of the batch job with these arguments, as the DAG does for its tasks, and give its id. Raises `DatabricksError`."""
    task = {
        "task_key": name,
        "existing_cluster_id": settings.databricks_cluster_id,
        "spark_python_task": {"python_file": settings.batch_job_file, "parameters": list(arguments)},
    }
    return int(_call(settings, "POST", "submit", json={"run_name": name, "tasks": [task]})["run_id"])


def follow(settings: Settings, run_id: int, every: float = 1.0, seconds: float = 3600.0) -> dict[str, Any]:
    """The run's state, in Databricks' words, once it has ended. Raises `DatabricksError`, also if it does not end in time."""
    until = time.monotonic() + seconds
    while True:
        run = described(settings, run_id)
        state: dict[str, Any] = run["state"]
        if state["life_cycle_state"] in ENDED:
            return state
        if time.monotonic() > until:
            raise DatabricksError(
                f"The run {run_id} is still {state['life_cycle_state']} after {seconds:.0f} s. It goes on: {run['run_page_url']}"
            )
        time.sleep(every)


def described(settings: Settings, run_id: int) -> dict[str, Any]:
    """What Databricks knows of a run: its `state`, `tasks`, `run_page_url` and more. Raises `DatabricksError`."""
    return _call(settings, "GET", "get", params={"run_id": run_id})


def job_log(settings: Settings, run_id: int) -> list[str]:
    """The lines that the run's one task wrote, without Java's stack frames. Raises `DatabricksError`."""
    tasks = described(settings, run_id)["tasks"]
    output = _call(settings, "GET", "get-output", params={"run_id": tasks[0]["run_id"]})
    return [line for line in output["logs"].splitlines() if line.strip() and not _JAVA_FRAME.match(line)]


def _call(settings: Settings, method: str, what: str, **request: Any) -> dict[str, Any]:
    url = f"{settings.databricks_url}/api/2.2/jobs/runs/{what}"
    headers = {"Authorization": f"Bearer {settings.databricks_token.get_secret_value()}"}
    try:
        answer = requests.request(method, url, headers=headers, timeout=30, **request)
    except requests.RequestException as error:
        raise DatabricksError(f"Databricks does not answer at {settings.databricks_url} ({error}).") from error
    if not answer.ok:
        asked = f"{method} {answer.request.path_url}"
        raise DatabricksError(f"Databricks answered {answer.status_code} to {asked}: {answer.text[:200]}")
    found: dict[str, Any] = answer.json()
    return found
