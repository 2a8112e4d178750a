"""What the streaming job wrote of its alarms, as `make status` and `make stream-status` show it."""

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
from stack import status, streams

Objects = dict[str, list[dict[str, Any]]]


@pytest.fixture
def objects() -> Objects:
    """The reports by frame that the bucket holds."""
    return {}


@pytest.fixture
def settings(objects: Objects) -> Iterator[Settings]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # http.server's own name
            prefix, suffix = "/user-abc-bucket/streaming/progress/", ".jsonl"
            reports = objects.get(self.path.removeprefix(prefix).removesuffix(suffix))
            body = "\n".join(map(json.dumps, reports or [])).encode()
            self.send_response(404 if reports is None else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": SecretStr("test")}
    yield Settings(user_id="abc", aws_endpoint_url=url, **keys)
    server.shutdown()
    server.server_close()


def test_the_newest_report_decides(settings: Settings, objects: Objects) -> None:
    objects["pin"] = [{"alarm": "Too many."}, {"alarm": None}]
    objects["user"] = [{"alarm": None}, {"records": 5}, {"alarm": "[bold]Far[/] too many."}]
    assert streams.alarms(settings) == ["user: [bold]Far[/] too many."]


def test_an_alarm_is_red_and_not_well(settings: Settings, objects: Objects) -> None:
    objects["geo"] = [{"alarm": "[bold]Far[/] too many."}]
    out = StringIO()
    assert not status._alarms(settings, Console(file=out, force_terminal=True, color_system="standard"))
    assert out.getvalue() == "\x1b[1;31mALARM: geo: [bold]Far[/] too many.\x1b[0m\n"


def test_without_an_alarm_nothing_is_said(settings: Settings, objects: Objects) -> None:
    objects["geo"] = [{"records": 1}]  # of an earlier release
    objects["pin"] = []
    out = StringIO()
    assert status._alarms(settings, Console(file=out))
    assert out.getvalue() == ""


def test_a_lake_that_does_not_answer_is_not_well() -> None:
    out = StringIO()
    gone = Settings(
        user_id="abc",
        aws_endpoint_url="http://127.0.0.1:9",
        aws_access_key_id="test",
        aws_secret_access_key=SecretStr("test"),
    )
    assert not status._alarms(gone, Console(file=out))
    assert "The reports of pin cannot be read" in out.getvalue()
