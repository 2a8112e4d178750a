"""The client against a stand-in that answers as Airflow 3.3 did."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from pydantic import SecretStr

from settings import Settings
from stack import airflow
from stack.airflow import Airflow, AirflowError, FailedTask, RunEnd, TaskChange

DAG = "/api/v2/dags/abc_dag"
RUNS = f"{DAG}/dagRuns"
RUN = f"{RUNS}/manual__1"
KNOWN = {"is_paused": False, "is_stale": False, "has_import_errors": False}

Answer = tuple[int, Any]


class StandIn:
    """Answers each `METHOD /path` with its list of (status, body), one a request, the last for ever."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, Any]] = []
        self.answers: dict[str, list[Answer]] = {
            "POST /auth/token": [(201, {"access_token": "a-token"})],
            f"GET {DAG}": [(200, KNOWN)],
            f"GET {RUNS}": [(200, {"dag_runs": []})],
            f"POST {RUNS}": [(200, {"dag_run_id": "manual__1"})],
            "GET /api/v2/importErrors": [(200, {"import_errors": []})],
        }
        stand_in = self

        class Handler(BaseHTTPRequestHandler):
            def _answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                key = f"{self.command} {self.path.partition('?')[0]}"
                stand_in.requests.append((f"{self.command} {self.path}", json.loads(body) if body else None))
                if not key.endswith("/auth/token") and self.headers["Authorization"] != "Bearer a-token":
                    status, answer = 401, {"detail": "Not authenticated"}
                else:
                    answers = stand_in.answers.get(key, [(404, {"detail": "The Dag was not found"})])
                    status, answer = answers.pop(0) if len(answers) > 1 else answers[0]
                if status == 0:  # the container is starting anew
                    self.close_connection = True
                    return
                text = answer if isinstance(answer, str) else json.dumps(answer)
                self.send_response(status)
                self.send_header("Content-Length", str(len(text.encode())))
                self.end_headers()
                self.wfile.write(text.encode())

            do_GET = do_POST = _answer  # noqa: N815  # http.server's own names

            def log_message(self, format: str, *args: Any) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def posted(self, path: str) -> list[Any]:
        return [body for request, body in self.requests if request == f"POST {path}"]


@pytest.fixture
def server() -> Iterator[StandIn]:
    stand_in = StandIn()
    yield stand_in
    stand_in.server.shutdown()
    stand_in.server.server_close()


def client(server: StandIn) -> Airflow:
    url = f"http://127.0.0.1:{server.server.server_port}"
    return Airflow(
        Settings(user_id="abc", airflow_url=url, airflow_user="me", airflow_password=SecretStr("secret")), poll=0
    )


def task(
    name: str, state: str | None, attempt: int = 1, started: str | None = None, seconds: float | None = None
) -> Any:
    return {
        "task_id": name,
        "state": state,
        "try_number": attempt,
        "start_date": started,
        "end_date": None if seconds is None else "2026-03-01T00:00:09Z",
        "duration": seconds,
    }


def run(state: str, seconds: float | None = None) -> Answer:
    return 200, {"dag_run_id": "manual__1", "state": state, "duration": seconds}


def tasks(*instances: Any) -> Answer:
    return 200, {"task_instances": list(instances)}


# ── Login and reachability ────────────────────────────────────────────────────────────────────────────────────────────


def test_logs_in_once_with_the_settings_user(server: StandIn) -> None:
    one = client(server)
    one.trigger()
    one.trigger()
    assert server.posted("/auth/token") == [{"username": "me", "password": "secret"}]


def test_a_refused_login_names_the_user_and_the_remedy_but_not_the_password(server: StandIn) -> None:
    server.answers["POST /auth/token"] = [(401, {"detail": "Invalid credentials"})]
    with pytest.raises(AirflowError, match=r"refused the login of me.*make up") as caught:
        client(server).trigger()
    assert "secret" not in str(caught.value)


def test_no_answer_is_one_sentence_with_the_address() -> None:
    with pytest.raises(AirflowError, match=r"does not answer at http://127.0.0.1:9 "):
        Airflow(Settings(user_id="abc", airflow_url="http://127.0.0.1:9")).trigger()


def test_an_unexpected_answer_is_told_in_the_servers_words(server: StandIn) -> None:
    server.answers[f"POST {RUNS}"] = [(422, {"detail": "Invalid input for param full"})]
    with pytest.raises(AirflowError, match=r"422 .* Invalid input for param full"):
        client(server).trigger({"full": 3})


# ── The DAG ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "early",
    [(404, {"detail": "not found"}), (200, KNOWN | {"is_stale": True}), (200, KNOWN | {"has_import_errors": True})],
)
def test_waits_until_airflow_has_read_the_dag_as_it_is(server: StandIn, early: Answer) -> None:
    server.answers[f"GET {DAG}"] = [early, early, (200, KNOWN)]
    client(server).wait_for_dag()
    assert [request for request, _ in server.requests].count(f"GET {DAG}") == 3


def test_a_dag_that_never_comes_is_an_error(server: StandIn) -> None:
    server.answers[f"GET {DAG}"] = [(404, {"detail": "not found"})]
    with pytest.raises(AirflowError, match="does not know the DAG abc_dag"):
        client(server).wait_for_dag(seconds=0)


@pytest.mark.parametrize("state", [(404, {"detail": "not found"}), (200, KNOWN | {"has_import_errors": True})])
def test_a_dag_that_cannot_be_imported_says_why(server: StandIn, state: Answer) -> None:
    server.answers[f"GET {DAG}"] = [state]
    trace = 'Traceback:\n  File "batch.py", line 3\nSettingsError: USER_ID: String should match\n'
    server.answers["GET /api/v2/importErrors"] = [
        (200, {"import_errors": [{"filename": "batch.py", "stack_trace": trace}]})
    ]
    with pytest.raises(AirflowError, match=r"cannot read the DAG abc_dag: batch.py: SettingsError: USER_ID"):
        client(server).trigger()
    assert server.posted(RUNS) == []


def test_a_paused_dag_is_an_error_and_not_a_run_that_never_starts(server: StandIn) -> None:
    server.answers[f"GET {DAG}"] = [(200, KNOWN | {"is_paused": True})]
    with pytest.raises(AirflowError, match="abc_dag is paused"):
        client(server).trigger()
    assert server.posted(RUNS) == []


# ── Starting a run ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_parameters_reach_the_run(server: StandIn) -> None:
    assert client(server).trigger({"full": True}) == "manual__1"
    assert server.posted(RUNS) == [{"logical_date": None, "conf": {"full": True}}]


@pytest.mark.parametrize("conf", [None, {}])
def test_a_run_that_waits_is_followed_instead_of_a_second_one(server: StandIn, conf: Any) -> None:
    server.answers[f"GET {RUNS}"] = [(200, {"dag_runs": [{"dag_run_id": "scheduled__1", "conf": conf}]})]
    assert client(server).trigger() == "scheduled__1"
    assert server.posted(RUNS) == []
    assert f"GET {RUNS}?state=queued" in [request for request, _ in server.requests]


def test_a_waiting_run_with_other_parameters_does_not_count(server: StandIn) -> None:
    server.answers[f"GET {RUNS}"] = [(200, {"dag_runs": [{"dag_run_id": "scheduled__1", "conf": {}}]})]
    assert client(server).trigger({"full": True}) == "manual__1"


# ── Following it ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_each_change_is_told_once_and_then_the_end(server: StandIn) -> None:
    server.answers[f"GET {RUN}"] = [run("queued"), run("running"), run("running"), run("success", 9.5)]
    server.answers[f"GET {RUN}/taskInstances"] = [
        tasks(task("answer", None), task("clean", None)),
        tasks(task("answer", "scheduled"), task("clean", "running", started="1")),
        tasks(task("answer", "scheduled"), task("clean", "running", started="1")),
        tasks(task("answer", "success", started="2", seconds=4.0), task("clean", "success", started="1", seconds=2.5)),
    ]
    assert list(client(server).follow("manual__1")) == [
        TaskChange("clean", "running", 1, None),
        TaskChange("answer", "scheduled", 1, None),
        TaskChange("clean", "success", 1, 2.5),
        TaskChange("answer", "success", 1, 4.0),
        RunEnd("success", 9.5),
    ]


def test_another_attempt_is_a_change(server: StandIn) -> None:
    server.answers[f"GET {RUN}"] = [run("running"), run("running"), run("failed", 3.0)]
    server.answers[f"GET {RUN}/taskInstances"] = [
        tasks(task("clean", "running", 1, "1")),
        tasks(task("clean", "running", 2, "1")),
        tasks(task("clean", "failed", 2, "1", 1.0)),
    ]
    assert list(client(server).follow("manual__1")) == [
        TaskChange("clean", "running", 1, None),
        TaskChange("clean", "running", 2, None),
        TaskChange("clean", "failed", 2, 1.0),
        RunEnd("failed", 3.0),
    ]


def test_a_restart_of_airflow_does_not_end_the_following(server: StandIn) -> None:
    server.answers[f"GET {RUN}"] = [run("running"), (0, None), (0, None), run("success", 1.0)]
    server.answers[f"GET {RUN}/taskInstances"] = [tasks()]
    assert list(client(server).follow("manual__1")) == [RunEnd("success", 1.0)]


def test_a_long_silence_does(server: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(airflow, "PATIENCE", 0.0)
    server.answers[f"GET {RUN}"] = [(0, None)]
    with pytest.raises(AirflowError, match="does not answer"):
        list(client(server).follow("manual__1"))


def test_a_run_that_does_not_end_in_time_is_an_error_with_its_address(server: StandIn) -> None:
    server.answers[f"GET {RUN}"] = [run("running")]
    server.answers[f"GET {RUN}/taskInstances"] = [tasks()]
    with pytest.raises(AirflowError, match=r"still running after 0 s.*/dags/abc_dag/runs/manual__1"):
        list(client(server).follow("manual__1", seconds=0))


# ── Why it failed ─────────────────────────────────────────────────────────────────────────────────────────────────────

LOG: list[dict[str, Any]] = [
    {"event": "::group::Log message source details"},
    {"event": "/var/lib/airflow/logs/attempt=3.log"},
    {"event": "::endgroup::"},
    {"event": "DAG bundles loaded: dags-folder", "logger": "airflow.dag_processing.bundles.manager"},
    {"event": "Run submitted with run_id: 7", "logger": "task"},
    {
        "event": "Task failed with exception",
        "logger": "task",
        "error_detail": [
            {"exc_type": "AirflowException", "exc_value": "clean_pin failed with terminal state: FAILED\nmore"}
        ],
    },
    {"event": "::group::Post Execute", "logger": "task"},
]


@pytest.mark.parametrize(
    ("run_pushed", "databricks_run"),
    [((200, {"key": "run_id", "value": 7}), 7), ((404, {"detail": "XCom entry not found"}), None)],
)
def test_the_failed_task_its_error_and_its_run_come_out(
    server: StandIn, run_pushed: Answer, databricks_run: int | None
) -> None:
    server.answers[f"GET {RUN}/taskInstances"] = [
        tasks(
            task("clean_geo", "success", 1, "1", 1.0),
            task("clean_pin", "failed", 3, "2", 1.0),
            task("answer", "upstream_failed", 0, None),
        )
    ]
    server.answers[f"GET {RUN}/taskInstances/clean_pin/logs/3"] = [(200, "\n".join(map(json.dumps, LOG)))]
    server.answers[f"GET {RUN}/taskInstances/clean_pin/xcomEntries/run_id"] = [run_pushed]
    assert client(server).failed_task("manual__1") == FailedTask(
        "clean_pin", 3, ["AirflowException: clean_pin failed with terminal state: FAILED"], databricks_run
    )


def test_no_failed_task(server: StandIn) -> None:
    server.answers[f"GET {RUN}/taskInstances"] = [tasks(task("clean_geo", "success", 1, "1", 1.0))]
    assert client(server).failed_task("manual__1") is None


def test_a_log_without_an_error_shows_what_airflow_says() -> None:
    assert airflow.readable(LOG[:4]) == ["/var/lib/airflow/logs/attempt=3.log", "DAG bundles loaded: dags-folder"]
