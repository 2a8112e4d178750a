"""The proxy itself, served for real, in front of a Kafka that is not there."""

import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest
import requests
import uvicorn
from hypothesis import HealthCheck, settings
from rest_proxy.app import create_app
from rest_proxy.settings import Settings

Serve = Callable[..., str]

# By default Hypothesis fails a test that took long, which says more of a busy machine than of what is tested.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


@pytest.fixture
def serve() -> Iterator[Serve]:
    """`serve(**settings)` starts a proxy and gives its URL."""
    started: list[tuple[uvicorn.Server, threading.Thread]] = []
    # Bound and never listened to: a broker's address that refuses every connection, and that nobody else can take.
    nobody = socket.socket()
    nobody.bind(("127.0.0.1", 0))

    def start(**settings: object) -> str:
        limits = {"metadata_timeout_s": 0.3, "delivery_timeout_s": 0.5, **settings}
        app = create_app(Settings(bootstrap_servers=f"127.0.0.1:{nobody.getsockname()[1]}", **limits))  # type: ignore[arg-type]
        listener = socket.create_server(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        started.append((server, thread))
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        deadline = time.monotonic() + 30
        while not server.started:  # the socket accepts before the server does: a request made now would wait
            assert time.monotonic() < deadline
            requests.get(url, timeout=30)
        return url

    yield start
    for server, thread in started:
        server.should_exit = True
        thread.join(30)
    nobody.close()
