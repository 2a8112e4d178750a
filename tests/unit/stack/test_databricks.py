"""The client against a stand-in that answers as the Jobs API does."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from pydantic import SecretStr

from settings import Settings
from stack.databricks import DatabricksError, job_log

LOGS = """WARN TaskSetManager: Lost task 0.0
\tat org.apache.spark.SparkContext$$anon$3.run(SparkContext.scala:2295)
\t... 4 more

clean pin failed: the bucket is not there
"""


@pytest.fixture
def settings() -> Iterator[Settings]:
    answers: dict[str, Any] = {
        "/api/2.2/jobs/runs/get?run_id=7": {"tasks": [{"run_id": 8}]},
        "/api/2.2/jobs/runs/get-output?run_id=8": {"logs": LOGS},
    }

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # http.server's own name
            known = self.path in answers and self.headers["Authorization"] == "Bearer a-token"
            body = json.dumps(answers[self.path] if known else {"message": "Run 9 does not exist."}).encode()
            self.send_response(200 if known else 400)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    yield Settings(user_id="abc", databricks_url=url, databricks_token=SecretStr("a-token"))
    server.shutdown()
    server.server_close()


def test_the_jobs_own_words_come_out_without_java_frames(settings: Settings) -> None:
    assert job_log(settings, 7) == ["WARN TaskSetManager: Lost task 0.0", "clean pin failed: the bucket is not there"]


def test_a_run_that_is_not_known_is_told_in_the_servers_words(settings: Settings) -> None:
    with pytest.raises(DatabricksError, match=r"400 .* run 9: .*does not exist"):
        job_log(settings, 9)


def test_no_answer_is_one_sentence_with_the_address() -> None:
    with pytest.raises(DatabricksError, match=r"does not answer at http://127\.0\.0\.1:9 "):
        job_log(Settings(user_id="abc", databricks_url="http://127.0.0.1:9"), 7)
