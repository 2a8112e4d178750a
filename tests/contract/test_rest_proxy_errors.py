"""Requests that are refused: Confluent's status and code for each (contract §4)."""

import re
from collections.abc import Iterator

import pytest

from tests.contract.proxy import BINARY, JSON, Proxy, error_code

RECORD = {"records": [{"value": 1}]}
MIB = 1024 * 1024


@pytest.mark.parametrize(
    "body",
    [
        "{",
        '{"records":[{"value":1}]',
        '{"records":[{"value":1},]}',
        '{"records":[{"value":NaN}]}',
        '{"records":[{"value":Infinity}]}',
        '{"records":[{"value":01}]}',
        "records",
        '{"records":[{"value":"\n"}]}',
    ],
)
def test_what_is_not_json(proxy: Proxy, topic: str, body: str) -> None:
    assert error_code(proxy.post_text(f"/topics/{topic}", body), 400) == 400


@pytest.mark.parametrize(
    "body",
    [
        b'{"records":[{"value":"\xff"}]}',
        b'{"records":[{"value":"\\ud800"}]}',
        b'{"records":[{"value":' + b"[" * 100_000,
    ],
    ids=["not UTF-8", "half a surrogate pair", "nested without end"],
)
def test_decided_what_no_reader_could_take_is_not_json(proxy: Proxy, topic: str, body: bytes) -> None:
    assert error_code(proxy.post_text(f"/topics/{topic}", body), 400) == 400


@pytest.mark.parametrize("body", ["{}", '{"records":[]}'])
def test_no_records(proxy: Proxy, topic: str, body: str) -> None:
    assert error_code(proxy.post_text(f"/topics/{topic}", body), 422) in (422, 42206)


@pytest.mark.parametrize(
    "body",
    [
        "[]",
        "1",
        '{"records":1}',
        '{"records":[1]}',
        '{"records":[{"value":1,"partition":"x"}]}',
        '{"records":[{"value":1,"partition":-1}]}',
        '{"records":[{"vlaue":1}]}',
    ],
)
def test_decided_json_of_another_shape(proxy: Proxy, topic: str, body: str) -> None:
    """Confluent's answer is 400 for some of these, 422 for others, and 500 for a negative partition."""
    assert error_code(proxy.post_text(f"/topics/{topic}", body), 422) == 422


@pytest.mark.parametrize("value", ["not base64!", "YQ", 7, {"a": 1}], ids=repr)
def test_decided_a_binary_value_that_is_not_base64(proxy: Proxy, topic: str, value: object) -> None:
    """Confluent's answer is 400 or 422, by its version."""
    answer = proxy.post(f"/topics/{topic}", {"records": [{"value": "YQ=="}, {"value": value}]}, BINARY)
    assert error_code(answer, 422) == 42203


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "application/x-www-form-urlencoded"])
def test_an_unsupported_content_type(proxy: Proxy, topic: str, content_type: str) -> None:
    assert error_code(proxy.post(f"/topics/{topic}", RECORD, content_type), 415) == 415


def test_a_content_type_with_a_parameter(proxy: Proxy, topic: str) -> None:
    assert proxy.post(f"/topics/{topic}", RECORD, JSON + "; charset=utf-8").status_code == 200


def test_decided_a_body_over_the_limit(proxy: Proxy, topic: str) -> None:
    """No error code is asked for: API Gateway answers this itself, in its own form."""
    body = '{"records":[{"value":"' + "x" * (11 * MIB) + '"}]}'
    assert proxy.post_text(f"/topics/{topic}", body).status_code == 413


def test_decided_a_body_over_the_limit_of_unknown_length(proxy: Proxy, topic: str) -> None:
    def chunks() -> Iterator[bytes]:
        yield b'{"records":[{"value":"'
        for _ in range(11):
            yield b"x" * MIB
        yield b'"}]}'

    answer = proxy.request("POST", f"/topics/{topic}", data=chunks(), headers={"Content-Type": JSON})
    assert answer.status_code == 413


@pytest.mark.parametrize(
    "name", ["no-such-topic", "not%20a%20topic", "a" * 250, "..."], ids=["unknown", "invalid", "too long", "dots"]
)
def test_decided_an_unknown_topic_is_not_created(proxy: Proxy, name: str) -> None:
    for _ in range(2):
        assert error_code(proxy.post(f"/topics/{name}", RECORD, JSON), 404) == 40401
    assert name not in proxy.get("/topics").json()


@pytest.mark.parametrize(
    "path", ["/topics/no-such-topic", "/topics/no-such-topic/partitions", "/topics/no-such-topic/partitions/0"]
)
def test_an_unknown_topic_has_no_description(proxy: Proxy, path: str) -> None:
    assert error_code(proxy.get(path), 404) == 40401


def test_an_unknown_partition_has_no_description(proxy: Proxy, topic: str) -> None:
    assert error_code(proxy.get(f"/topics/{topic}/partitions/3"), 404) == 40402


def test_decided_an_unknown_partition_takes_no_records(proxy: Proxy, topic: str) -> None:
    """Confluent's proxy waits for a minute in case the partition comes."""
    assert error_code(proxy.post(f"/topics/{topic}/partitions/3", RECORD, JSON), 404) == 40402


@pytest.mark.parametrize(
    "path", ["/nope", "/topics/{topic}/nope", "/topics/{topic}/partitions/x", "/consumers/g/instances"]
)
def test_an_unknown_path(proxy: Proxy, topic: str, path: str) -> None:
    answer = proxy.get(path.format(topic=topic))
    assert error_code(answer, 404) == 404
    assert re.fullmatch("HTTP 404 Not Found", answer.json()["message"])


@pytest.mark.parametrize(("method", "path"), [("PUT", "/topics"), ("DELETE", "/topics/{topic}"), ("POST", "/topics")])
def test_a_method_that_a_path_does_not_have(proxy: Proxy, topic: str, method: str, path: str) -> None:
    assert error_code(proxy.request(method, path.format(topic=topic)), 405) == 405


def test_the_proxy_still_works_after_all_that(proxy: Proxy, topic: str) -> None:
    [record] = proxy.fetch(topic, proxy.produce(topic, {"value": "still here"}))
    assert record["value"] == "still here"
