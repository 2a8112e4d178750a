"""Databricks by its Jobs API: what a run of the batch job wrote."""

import re
from typing import Any

import requests

from settings import Settings
from stack.errors import StackError

_JAVA_FRAME = re.compile(r"\s*(at [\w.$/<>]+\(|\.\.\. \d+ more)")


class DatabricksError(StackError):
    """Databricks does not say what a run wrote."""


def job_log(settings: Settings, run_id: int) -> list[str]:
    """The lines that the run's one task wrote, without Java's stack frames. Raises `DatabricksError`."""
    tasks = _get(settings, "get", run_id)["tasks"]
    output = _get(settings, "get-output", tasks[0]["run_id"])
    return [line for line in output["logs"].splitlines() if line.strip() and not _JAVA_FRAME.match(line)]


def _get(settings: Settings, what: str, run_id: int) -> dict[str, Any]:
    url = f"{settings.databricks_url}/api/2.2/jobs/runs/{what}"
    headers = {"Authorization": f"Bearer {settings.databricks_token.get_secret_value()}"}
    try:
        answer = requests.get(url, params={"run_id": run_id}, headers=headers, timeout=30)
    except requests.RequestException as error:
        raise DatabricksError(f"Databricks does not answer at {settings.databricks_url} ({error}).") from error
    if not answer.ok:
        raise DatabricksError(
            f"Databricks answered {answer.status_code} to {what} of run {run_id}: {answer.text[:200]}"
        )
    found: dict[str, Any] = answer.json()
    return found
