"""The client against a stand-in that answers as the Jobs API does."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from typing import Any

import pytest
from pydantic import SecretStr
from rich.console import Console

from settings import Settings
from stack import batch, replay
from stack.databricks import DatabricksError, follow, job_log, submit
from stack.replay import ReplayError

LOGS = """WARN TaskSetManager: Lost task 0.0
\tat org.apache.spark.SparkContext$$anon$3.run(SparkContext.scala:2295)
\t... 4 more

clean pin failed: the bucket is not there
"""
GET = "/api/2.2/jobs/runs/get?run_id=7"
OUTPUT = "/api/2.2/jobs/runs/get-output?run_id=8"
SUBMIT = "/api/2.2/jobs/runs/submit"

Answers = dict[str, list[Any]]


def run(life_cycle: str, result: str | None = None, message: str = "") -> dict[str, Any]:
    state = {"life_cycle_state": life_cycle, "result_state": result, "state_message": message}
    return {"run_page_url": "http://a.page/runs/7", "state": state, "tasks": [{"run_id": 8}]}


@pytest.fixture
def answers() -> Answers:
    """The answers to each path, one a request, the last for ever."""
    return {
        GET: [run("PENDING"), run("RUNNING"), run("TERMINATED", "SUCCESS")],
        OUTPUT: [{"logs": LOGS}],
        SUBMIT: [{"run_id": 7}],
    }


@pytest.fixture
def sent() -> list[Any]:
    """The bodies that were sent."""
    return []


@pytest.fixture
def settings(answers: Answers, sent: list[Any]) -> Iterator[Settings]:
    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            if length := int(self.headers.get("Content-Length") or 0):
                sent.append(json.loads(self.rfile.read(length)))
            known = self.path in answers and self.headers["Authorization"] == "Bearer a-token"
            expected = answers.get(self.path, [])
            answer = expected.pop(0) if len(expected) > 1 else (expected or [None])[0]
            body = json.dumps(answer if known else {"message": "Run 9 does not exist."}).encode()
            self.send_response(200 if known else 400)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = _answer  # noqa: N815  # http.server's own names

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    yield Settings(
        user_id="abc",
        databricks_url=url,
        databricks_token=SecretStr("a-token"),
        databricks_cluster_id="a-cluster",
        batch_job_file="/a/batch.py",
    )
    server.shutdown()
    server.server_close()


def test_the_jobs_own_words_come_out_without_java_frames(settings: Settings) -> None:
    assert job_log(settings, 7) == ["WARN TaskSetManager: Lost task 0.0", "clean pin failed: the bucket is not there"]


def test_a_run_that_is_not_known_is_told_in_the_servers_words(settings: Settings) -> None:
    with pytest.raises(DatabricksError, match=r"400 .*run_id=9: .*does not exist"):
        job_log(settings, 9)


def test_no_answer_is_one_sentence_with_the_address() -> None:
    with pytest.raises(DatabricksError, match=r"does not answer at http://127\.0\.0\.1:9 "):
        job_log(Settings(user_id="abc", databricks_url="http://127.0.0.1:9"), 7)


def test_the_batch_job_is_submitted_as_the_dag_does(settings: Settings, sent: list[Any]) -> None:
    assert submit(settings, "replay", ["replay"]) == 7
    task = {"python_file": "/a/batch.py", "parameters": ["replay"]}
    assert sent == [
        {
            "run_name": "replay",
            "tasks": [{"task_key": "replay", "existing_cluster_id": "a-cluster", "spark_python_task": task}],
        }
    ]


@pytest.mark.parametrize("end", ["TERMINATED", "SKIPPED", "INTERNAL_ERROR"])
def test_a_run_is_followed_to_its_end(settings: Settings, answers: Answers, end: str) -> None:
    answers[GET] = [run("PENDING"), run("RUNNING"), run(end, "FAILED", "why")]
    assert follow(settings, 7, every=0, seconds=5) == {
        "life_cycle_state": end,
        "result_state": "FAILED",
        "state_message": "why",
    }


def test_a_run_that_does_not_end_is_told_with_its_page(settings: Settings, answers: Answers) -> None:
    answers[GET] = [run("RUNNING")]
    with pytest.raises(DatabricksError, match=r"still RUNNING .* http://a\.page/runs/7"):
        follow(settings, 7, every=0, seconds=0)


def test_each_frame_is_cleaned_by_a_run_of_its_own(settings: Settings, sent: list[Any]) -> None:
    batch.clean(settings, Console(file=StringIO()))
    asked = [body["tasks"][0]["spark_python_task"]["parameters"] for body in sent]
    assert asked == [["clean", "pin"], ["clean", "geo"], ["clean", "user"]]


def test_a_cleaning_that_fails_prints_the_jobs_last_lines(settings: Settings, answers: Answers) -> None:
    answers[GET] = [run("TERMINATED", "FAILED", "clean pin failed: the bucket is not there")]
    out = StringIO()
    with pytest.raises(DatabricksError, match="clean_pin failed: clean pin failed: the bucket is not there"):
        batch.clean(settings, Console(file=out))
    assert "the last lines of clean_pin" in out.getvalue()


def test_a_replay_prints_what_was_done(settings: Settings, answers: Answers) -> None:
    done = "replay: 8 records looked at, 5 accepted now, 3 still rejected, 2.0 s"
    answers[OUTPUT] = [{"logs": f"WARN something\n{done}\nWARN at the end\n"}]
    answers[GET] = [run("TERMINATED", "SUCCESS")]
    out = StringIO()
    replay.run(settings, Console(file=out))
    assert out.getvalue().splitlines()[:2] == ["http://a.page/runs/7", done]


def test_a_replay_that_fails_prints_the_jobs_last_lines(settings: Settings, answers: Answers) -> None:
    answers[GET] = [run("TERMINATED", "FAILED", "replay failed: there is no table")]
    out = StringIO()
    with pytest.raises(ReplayError, match="The replay failed: replay failed: there is no table"):
        replay.run(settings, Console(file=out))
    assert "the last lines of the replay" in out.getvalue()
    assert "WARN TaskSetManager: Lost task 0.0" in out.getvalue()
