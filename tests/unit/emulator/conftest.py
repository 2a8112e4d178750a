"""The emulator's surroundings without containers: SQLite as the source, and a local HTTP server as the API."""

import json
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, create_engine, text

from settings import Settings
from tests.unit.emulator.far_side import USER_ID, FarSide

POSTS = 11_001


@pytest.fixture
def far_side() -> Iterator[FarSide]:
    side = FarSide()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.reply(*side.check_answer)

        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["Content-Length"]))
            path = self.headers.get("X-Amz-Target", self.path)
            if path.endswith(".DescribeStreamSummary"):
                self.reply(*side.check_answer)
                return
            side.content_types.add(self.headers["Content-Type"])
            answer = side.answer(self.command, path, json.loads(raw))
            if isinstance(answer, str):
                self.close_connection = True
            else:
                self.reply(*answer)

        def do_PUT(self) -> None:
            self.do_POST()

        def reply(self, status: int, body: Any) -> None:
            data = (body if isinstance(body, str) else json.dumps(body)).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            """Nothing: what went by is in `requests`."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """A client that was killed is part of the tests."""

    server = Server(("127.0.0.1", 0), Handler)
    side.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield side
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="session")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three tables of the classic size, in SQLite. Post 13 lacks its place."""
    file = tmp_path_factory.mktemp("source") / "source.sqlite"
    engine = create_engine(f"sqlite:///{file}")
    start = datetime(2017, 10, 20)
    with engine.begin() as connection:
        for table, columns in {
            "pinterest_data": "`index` INTEGER PRIMARY KEY, title TEXT",
            "geolocation_data": "ind INTEGER PRIMARY KEY, `timestamp` TEXT, latitude REAL",
            "user_data": "ind INTEGER PRIMARY KEY, first_name TEXT",
        }.items():
            connection.execute(text(f"CREATE TABLE {table} ({columns})"))
        indices = range(POSTS)
        connection.execute(
            text("INSERT INTO pinterest_data VALUES (:i, :t)"), [{"i": i, "t": f"Идея {i} 🎄"} for i in indices]
        )
        connection.execute(
            text("INSERT INTO geolocation_data VALUES (:i, :t, :l)"),
            [{"i": i, "t": str(start + timedelta(minutes=i)), "l": i / 128} for i in indices if i != 13],
        )
        connection.execute(text("INSERT INTO user_data VALUES (:i, :n)"), [{"i": i, "n": f"N{i}"} for i in indices])
    engine.dispose()
    return file


@pytest.fixture
def engine(database: Path) -> Iterator[Engine]:
    engine = create_engine(f"sqlite:///{database}")
    yield engine
    engine.dispose()


@pytest.fixture
def settings(far_side: FarSide) -> Settings:
    return Settings(
        user_id=USER_ID,
        api_url=far_side.url,
        aws_endpoint_url=far_side.url,
        aws_access_key_id="test",
        aws_secret_access_key=SecretStr("test"),
    )
