"""Airflow, ours or MWAA's, by its REST API (v2): start the daily batch, follow it, and say why it failed."""

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import boto3
import requests
from botocore.exceptions import BotoCoreError, ClientError

from settings import Settings
from stack.errors import StackError
from stack.waiting import wait_until

ENDED = ("success", "failed")
"""The states in which a run stays."""

PATIENCE = 60.0
"""Seconds for which Airflow may be silent while a run is followed: its container may be starting anew."""


class AirflowError(StackError):
    """Airflow cannot do what was asked. The message says why and what to do."""


class UnreachableError(AirflowError):
    """Airflow does not answer."""


@dataclass(frozen=True)
class TaskChange:
    """A task has come into another state. `seconds` is how long its attempt took, None until it has ended."""

    task_id: str
    state: str
    attempt: int
    seconds: float | None


@dataclass(frozen=True)
class RunEnd:
    """The run is over: `success` or `failed`, after so many seconds from its start."""

    state: str
    seconds: float


@dataclass(frozen=True)
class FailedTask:
    """The first task of a run that failed for good, and what Airflow says of its last attempt.

    `databricks_run` is the run that it waited for, None if Databricks took none.
    """

    task_id: str
    attempt: int
    lines: list[str]
    databricks_run: int | None


class Airflow:
    """The DAG of these settings, on the Airflow of these settings. `poll` is the time between two looks, in seconds."""

    def __init__(self, settings: Settings, poll: float = 1.0) -> None:
        self._settings = settings
        self._poll = poll
        self._session = requests.Session()
        self._url = settings.airflow_url
        self._dag = f"/api/v2/dags/{settings.dag_id}"

    def wait_for_dag(self, seconds: float = 60.0) -> None:
        """Return once Airflow knows the DAG in its present form: after a start its DAG processor has to read it first.

        Raises `AirflowError`, with the DAG's import errors if there are any.
        """
        wait_until(self._has_dag, seconds, self._missing_dag, every=self._poll)

    def trigger(self, conf: Mapping[str, object] | None = None) -> str:
        """Start a run with these parameters and give its id, or the id of an equal one that waits in the queue.

        A run that has not started yet will read all that has landed by now, so a second one would do nothing. One that is running
        may have looked already: then a new one is queued behind it, because the DAG runs once at a time.
        """
        if not self._has_dag():
            raise self._missing_dag()
        if self._get(self._dag)["is_paused"]:
            raise AirflowError(
                f"The DAG {self._settings.dag_id} is paused, so that no run would start. "
                f"Switch it on at {self._url}/dags/{self._settings.dag_id}."
            )
        wanted = dict(conf or {})
        for run in self._get(f"{self._dag}/dagRuns", state="queued")["dag_runs"]:
            if (run["conf"] or {}) == wanted:
                return str(run["dag_run_id"])
        run = self._call("POST", f"{self._dag}/dagRuns", json={"logical_date": None, "conf": wanted}).json()
        return str(run["dag_run_id"])

    def follow(self, run_id: str, seconds: float = 3600.0) -> Iterator[TaskChange | RunEnd]:
        """Give each change of a task's state as it happens, and last the run's end.

        Raises `AirflowError` if the run does not end within `seconds`, or Airflow is silent for longer than `PATIENCE`.
        """
        started = answered = time.monotonic()
        seen: dict[str, tuple[str, int]] = {}
        while True:
            try:
                # The run before its tasks: if it has ended, theirs are their last states.
                run = self._get(f"{self._dag}/dagRuns/{run_id}")
                tasks = self._tasks(run_id)
                answered = time.monotonic()
            except UnreachableError:
                if time.monotonic() - answered > PATIENCE:
                    raise
                time.sleep(self._poll)
                continue
            for task in tasks:
                state = (task["state"], task["try_number"])
                if task["state"] and seen.get(task["task_id"]) != state:
                    seen[task["task_id"]] = state
                    yield TaskChange(task["task_id"], *state, task["duration"] if task["end_date"] else None)
            if run["state"] in ENDED:
                yield RunEnd(run["state"], float(run["duration"] or 0))
                return
            if time.monotonic() - started > seconds:
                raise AirflowError(
                    f"The run {run_id} is still {run['state']} after {seconds:.0f} s. It goes on; look at "
                    f"{self.page(run_id)}."
                )
            time.sleep(self._poll)

    def page(self, run_id: str) -> str:
        """Where a person sees the run."""
        return f"{self._url}/dags/{self._settings.dag_id}/runs/{run_id}"

    def failed_task(self, run_id: str) -> FailedTask | None:
        """The first task that failed in this run; None if none did."""
        task = next((task for task in self._tasks(run_id) if task["state"] == "failed"), None)
        if task is None:
            return None
        attempt = task["try_number"]
        path = f"{self._dag}/dagRuns/{run_id}/taskInstances/{task['task_id']}"
        log = self._call("GET", f"{path}/logs/{attempt}", headers={"Accept": "application/x-ndjson"})
        entries = [json.loads(line) for line in log.text.splitlines() if line.strip()]
        pushed = self._call("GET", f"{path}/xcomEntries/run_id", accept=(404,))
        databricks_run = int(pushed.json()["value"]) if pushed.ok else None
        return FailedTask(task["task_id"], attempt, readable(entries), databricks_run)

    def _tasks(self, run_id: str) -> list[dict[str, Any]]:
        """The run's task instances, in the order in which they started."""
        tasks = self._get(f"{self._dag}/dagRuns/{run_id}/taskInstances")["task_instances"]
        return sorted(tasks, key=lambda task: task["start_date"] or "~")

    def _has_dag(self) -> bool:
        answer = self._call("GET", self._dag, accept=(404,))
        return answer.ok and not answer.json()["is_stale"] and not answer.json()["has_import_errors"]

    def _missing_dag(self) -> AirflowError:
        errors = self._get("/api/v2/importErrors")["import_errors"]
        if errors:
            reasons = "; ".join(f"{e['filename']}: {e['stack_trace'].strip().splitlines()[-1]}" for e in errors)
            return AirflowError(f"Airflow cannot read the DAG {self._settings.dag_id}: {reasons}")
        return AirflowError(
            f"Airflow does not know the DAG {self._settings.dag_id} (yet). "
            "`make logs SERVICE=airflow` shows whether its DAG processor has read airflow/dags."
        )

    def _get(self, path: str, **query: str) -> dict[str, Any]:
        answer: dict[str, Any] = self._call("GET", path, params=query).json()
        return answer

    def _call(self, method: str, path: str, accept: tuple[int, ...] = (), **request: Any) -> requests.Response:
        """One request, after a login where there has been none. Raises `AirflowError` unless the answer is good or accepted."""
        if "Authorization" not in self._session.headers:
            token = self._mwaa_login() if self._settings.mwaa_environment else self._login()
            self._session.headers["Authorization"] = f"Bearer {token}"
        answer = self._send(method, path, **request)
        if not answer.ok and answer.status_code not in accept:
            raise AirflowError(f"Airflow answered {answer.status_code} to {method} {path}: {_detail(answer)}")
        return answer

    def _login(self) -> str:
        user, password = self._settings.airflow_user, self._settings.airflow_password.get_secret_value()
        answer = self._send("POST", "/auth/token", json={"username": user, "password": password})
        if answer.status_code == 401:
            raise AirflowError(
                f"Airflow refused the login of {user}: its container was started with another AIRFLOW_PASSWORD than .env has "
                "now. `make up` starts it anew."
            )
        if not answer.ok:
            raise AirflowError(f"Airflow answered {answer.status_code} to the login of {user}: {_detail(answer)}")
        return str(answer.json()["access_token"])

    def _mwaa_login(self) -> str:
        """AWS gives a web login, by its own credentials, and with it the address; the login is changed for a token of Airflow's API."""
        name = self._settings.mwaa_environment
        try:
            mwaa = boto3.client("mwaa", **self._settings.client_options("mwaa"))
            login = mwaa.create_web_login_token(Name=name)
        except (BotoCoreError, ClientError) as error:
            raise AirflowError(f"AWS gives no login to the MWAA environment {name}: {error}.") from error
        self._url = f"https://{login['WebServerHostname']}"
        answer = self._send("POST", "/pluginsv2/aws_mwaa/login", data={"token": login["WebToken"]})
        token = answer.cookies.get("_token")
        if not token:
            raise AirflowError(
                f"The MWAA environment {name} answered {answer.status_code} to the login, without a token."
            )
        return token

    def _send(self, method: str, path: str, **request: Any) -> requests.Response:
        try:
            return self._session.request(method, self._url + path, timeout=60, **request)
        except requests.RequestException as error:
            raise UnreachableError(
                f"Airflow does not answer at {self._url} ({error}). `make status` says more."
            ) from error


def readable(entries: list[dict[str, Any]]) -> list[str]:
    """A task's log as a person wants it: each error in one line.

    Entries are Airflow's, one dict a line with at least `event`. Its own chatter is left out, unless there is nothing else.
    """
    errors = [error for entry in entries for error in entry.get("error_detail") or []]
    lines = [f"{error['exc_type']}: {error['exc_value'].splitlines()[0]}" for error in errors]
    return lines or [entry["event"] for entry in entries if not entry["event"].startswith("::")]


def _detail(answer: requests.Response) -> str:
    """Why, in the server's words: FastAPI's `detail`, or the start of whatever else there is."""
    try:
        return str(answer.json()["detail"])
    except (requests.JSONDecodeError, KeyError, TypeError):
        return answer.text[:200]
