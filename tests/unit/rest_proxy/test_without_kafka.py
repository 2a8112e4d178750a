"""What the proxy says while Kafka is away, and that it stays within its bounds."""

import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import requests
from rest_proxy.media import V2, Format

Serve = Callable[..., str]
JSON = {"Content-Type": Format.JSON.media_type}
PATIENCE_S = 30


def post(url: str, data: str = '{"records":[{"value":1},{"value":2}]}') -> requests.Response:
    return requests.post(f"{url}/topics/t", data=data, headers=JSON, timeout=PATIENCE_S)


def half_a_request(url: str, length: int, sent: bytes = b"{") -> socket.socket:
    """A client that announces a body and never sends the rest."""
    address = urlsplit(url)
    client = socket.create_connection((address.hostname or "", address.port or 0), PATIENCE_S)
    head = f"POST /topics/t HTTP/1.1\r\nHost: x\r\nContent-Type: {JSON['Content-Type']}\r\nContent-Length: {length}\r\n\r\n"
    client.sendall(head.encode() + sent)
    return client


def test_records_get_a_retriable_error_each(serve: Serve) -> None:
    answer = post(serve())
    assert answer.status_code == 200
    assert [offset["error_code"] for offset in answer.json()["offsets"]] == [50003, 50003]


def test_the_health_check_fails(serve: Serve) -> None:
    answer = requests.get(f"{serve()}/healthz", timeout=PATIENCE_S)
    assert (answer.status_code, answer.json()["error_code"]) == (500, 50003)


def test_metadata_fails(serve: Serve) -> None:
    url = serve()
    for path in ("/topics", "/topics/t", "/topics/t/partitions/0/offsets"):
        answer = requests.get(url + path, timeout=PATIENCE_S)
        assert (answer.status_code, answer.json()["error_code"]) == (500, 50003), path


def test_bad_requests_are_refused_all_the_same(serve: Serve) -> None:
    assert post(serve(), "{").status_code == 400


def test_beyond_its_memory_it_asks_for_patience(serve: Serve) -> None:
    url = serve(max_memory_bytes=100_000)
    with half_a_request(url, length=30_000):
        deadline = time.monotonic() + PATIENCE_S
        while (answer := post(url, '{"records":[{"value":"' + "x" * 5_000 + '"}]}')).status_code == 200:
            assert time.monotonic() < deadline, "the half request was never counted"
        assert (answer.status_code, answer.json()["error_code"]) == (503, 503)
        assert answer.headers["Retry-After"]
    deadline = time.monotonic() + PATIENCE_S
    while post(url, '{"records":[{"value":"' + "x" * 5_000 + '"}]}').status_code == 503:
        assert time.monotonic() < deadline, "the memory of a client that hung up was never given back"


def test_everything_is_given_back(serve: Serve) -> None:
    """As many failing requests as would fill the memory many times over, of every kind that fails."""
    url = serve(max_memory_bytes=20_000, max_body_bytes=5_000, metadata_timeout_s=0.05)
    small, broken, many, long = (
        '{"records":[{"value":1}]}',
        "{" * 1_000,
        '{"records":[' + "{}," * 30 + "{}]}",
        "x" * 6_000,
    )
    for data, status in [(small, 200), (broken, 400), (many, 413), (long, 413)] * 10:
        assert post(url, data).status_code == status
    assert post(url, small).status_code == 200


def test_a_request_that_could_never_fit_is_too_large(serve: Serve) -> None:
    url = serve(max_memory_bytes=100_000)
    assert post(url, '{"records":[' + ",".join(["{}"] * 200) + "]}").status_code == 413


def test_a_slow_body_gives_its_memory_back(serve: Serve) -> None:
    url = serve(body_timeout_s=0.2)
    with half_a_request(url, length=1_000) as client:
        assert client.recv(100).startswith(b"HTTP/1.1 408 ")


def test_an_announced_body_over_the_limit_is_refused_unread(serve: Serve) -> None:
    url = serve(max_body_bytes=1_000)
    with half_a_request(url, length=2_000) as client:
        assert client.recv(100).startswith(b"HTTP/1.1 413 ")


def consumer(url: str, name: str, **headers: str) -> requests.Response:
    return requests.post(
        f"{url}/consumers/g", json={"name": name}, headers={"Content-Type": V2, **headers}, timeout=PATIENCE_S
    )


def test_consumers_are_counted(serve: Serve) -> None:
    url = serve(max_consumers=1)
    assert consumer(url, "a").status_code == 200
    refused = consumer(url, "b")
    assert (refused.status_code, refused.json()["error_code"]) == (503, 50301)
    assert requests.delete(f"{url}/consumers/g/instances/a", timeout=PATIENCE_S).status_code == 204
    assert consumer(url, "b").status_code == 200


def test_an_idle_consumer_expires(serve: Serve) -> None:
    url = serve(consumer_idle_s=0.2, max_consumers=1)
    assert consumer(url, "a").status_code == 200
    deadline = time.monotonic() + PATIENCE_S
    while consumer(url, "b").status_code == 503:
        assert time.monotonic() < deadline, "the idle consumer never expired"


def test_the_base_uri_is_the_clients_way(serve: Serve) -> None:
    url = serve()
    assert consumer(url, "a").json()["base_uri"] == f"{url}/consumers/g/instances/a"
    forwarded = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "api.example", "X-Forwarded-Prefix": "/prod/"}
    assert (
        consumer(url, "b c", **forwarded).json()["base_uri"] == "https://api.example/prod/consumers/g/instances/b%20c"
    )
    advertised = serve(advertised_url="http://gateway/prod/")
    assert consumer(advertised, "a").json()["base_uri"] == "http://gateway/prod/consumers/g/instances/a"


def test_it_answers_others_while_some_wait_for_kafka(serve: Serve) -> None:
    url = serve(metadata_timeout_s=5)
    with ThreadPoolExecutor(20) as pool:
        waiting = [pool.submit(post, url) for _ in range(20)]
        assert requests.get(f"{url}/", timeout=PATIENCE_S).json() == {}
        assert not any(future.done() for future in waiting)
