"""Producing: what is acknowledged is in Kafka, at the place named, as it was sent."""

import base64
import json
import secrets
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.contract.proxy import BINARY, JSON, V2, Proxy, acknowledged

VALUES = [
    {
        "index": 7528,
        "title": "Пример 🎨 é",
        "tag_list": "a,b",
        "follower_count": "36k",
        "nested": {"list": [1, None, True]},
    },
    "text",
    "",
    0,
    -12,
    1.5,
    True,
    False,
    [],
    {},
    'quotes " \\ / \b\f\n\r\t and \u0001',
    "\u2028 and \u00e9 and \U0001f3a8",
]


def base64_text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def test_the_answer_names_partition_and_offset_of_each_record(proxy: Proxy, topic: str) -> None:
    answer = proxy.post(f"/topics/{topic}", {"records": [{"value": {"index": 1}}, {"value": {"index": 2}}]}, JSON)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].split(";")[0] == V2
    body = answer.json()
    assert set(body) == {"offsets", "key_schema_id", "value_schema_id"}
    assert body["key_schema_id"] is None
    assert body["value_schema_id"] is None
    for offset in body["offsets"]:
        assert set(offset) == {"partition", "offset", "error_code", "error"}
        assert offset["partition"] in (0, 1, 2)
        assert offset["offset"] >= 0
        assert offset["error_code"] is None
        assert offset["error"] is None


@pytest.mark.parametrize("value", VALUES, ids=repr)
@pytest.mark.parametrize("ascii_only", [True, False], ids=["escaped", "utf-8"])
def test_json_round_trip(proxy: Proxy, topic: str, value: Any, ascii_only: bool) -> None:
    body = json.dumps({"records": [{"key": value, "value": value}]}, ensure_ascii=ascii_only)
    places = acknowledged(proxy.post_text(f"/topics/{topic}", body), 1)
    [record] = proxy.fetch(topic, places)
    assert record["key"] == value
    assert record["value"] == value
    assert record["topic"] == topic


@pytest.mark.parametrize(
    "data", [b"", b"plain", bytes(range(256)), "Пример".encode()], ids=["empty", "ascii", "all bytes", "utf-8"]
)
def test_binary_round_trip(proxy: Proxy, topic: str, data: bytes) -> None:
    places = proxy.produce(topic, {"key": base64_text(data), "value": base64_text(data)}, fmt="binary")
    [record] = proxy.fetch(topic, places, "binary")
    assert base64.b64decode(record["key"]) == data
    assert base64.b64decode(record["value"]) == data


def test_json_stands_in_kafka_as_compact_json(proxy: Proxy, topic: str) -> None:
    places = acknowledged(
        proxy.post_text(
            f"/topics/{topic}", '{ "records" : [ { "key" : "k" ,\n "value" : { "a" : [ 1 , "b c" ] } } ] }'
        ),
        1,
    )
    [record] = proxy.fetch(topic, places, "binary")
    assert base64.b64decode(record["key"]) == b'"k"'
    assert base64.b64decode(record["value"]) == b'{"a":[1,"b c"]}'


def test_decided_numbers_keep_every_digit(proxy: Proxy, topic: str) -> None:
    value = '{"a":1.10,"b":1000000000000000000000000000000,"c":1e400,"d":0.1000000000000000055511151231257827,"e":-0}'
    places = acknowledged(proxy.post_text(f"/topics/{topic}", f'{{"records":[{{"value":{value}}}]}}'), 1)
    [record] = proxy.fetch(topic, places, "binary")
    assert base64.b64decode(record["value"]).decode() == value


@pytest.mark.parametrize("fmt", ["json", "binary"])
def test_null_and_missing_values_are_tombstones(proxy: Proxy, topic: str, fmt: str) -> None:
    key = base64_text(b'"k"')
    places = proxy.produce(topic, {"key": key, "value": None}, {"key": key}, fmt=fmt)
    # Read as bytes: a JSON null would look the same in JSON.
    assert [record["value"] for record in proxy.fetch(topic, places, "binary")] == [None, None]


def test_a_null_key_is_no_key(proxy: Proxy, topic: str) -> None:
    places = proxy.produce(topic, {"key": None, "value": 1}, {"value": 2})
    assert [record["key"] for record in proxy.fetch(topic, places, "binary")] == [None, None]


def test_records_go_to_the_partition_that_they_name(proxy: Proxy, topic: str) -> None:
    places = proxy.produce(topic, *({"value": number, "partition": number} for number in (2, 0, 1, 2)))
    assert [partition for partition, _ in places] == [2, 0, 1, 2]


@pytest.mark.parametrize("partition", [0, 1, 2])
def test_a_partition_in_the_path_takes_all_records(proxy: Proxy, topic: str, partition: int) -> None:
    answer = proxy.post(f"/topics/{topic}/partitions/{partition}", {"records": [{"value": 1}, {"value": 2}]}, JSON)
    (first, at), (second, then) = acknowledged(answer, 2)
    assert (first, second) == (partition, partition)
    assert then == at + 1


def murmur2(data: bytes) -> int:
    """Kafka's hash of a key, from its definition in the Java client."""
    mask, m = 0xFFFFFFFF, 0x5BD1E995
    h = (0x9747B28C ^ len(data)) & mask
    whole = len(data) // 4 * 4
    for at in range(0, whole, 4):
        k = int.from_bytes(data[at : at + 4], "little") * m & mask
        h = (h * m & mask) ^ ((k ^ k >> 24) * m & mask)
    if rest := data[whole:]:
        h = (h ^ int.from_bytes(rest, "little")) * m & mask
    h = (h ^ h >> 13) * m & mask
    return h ^ h >> 15


def test_a_key_goes_where_java_clients_put_it(proxy: Proxy, topic: str) -> None:
    keys = [str(index) for index in range(50)]
    places = proxy.produce(topic, *({"key": key, "value": 1} for key in keys))
    expected = [(murmur2(json.dumps(key).encode()) & 0x7FFFFFFF) % 3 for key in keys]
    assert [partition for partition, _ in places] == expected
    assert set(expected) == {0, 1, 2}


def test_a_value_of_a_million_bytes(proxy: Proxy, topic: str) -> None:
    value = secrets.token_hex(500_000)
    places = proxy.produce(topic, {"value": value})
    [record] = proxy.fetch(topic, places)
    assert record["value"] == value


def test_ten_thousand_records_keep_their_order(proxy: Proxy, topic: str) -> None:
    places = proxy.produce(topic, *({"value": number, "partition": 1} for number in range(10_000)))
    first = places[0][1]
    assert places == [(1, first + number) for number in range(10_000)]
    assert [record["value"] for record in proxy.fetch(topic, places)] == list(range(10_000))


def test_many_at_once(proxy: Proxy, topic: str) -> None:
    """Each answer belongs to its own request's records."""

    def post(number: int) -> list[tuple[int, int]]:
        return proxy.produce(topic, *({"value": [number, index]} for index in range(5)))

    with ThreadPoolExecutor(32) as pool:
        answers = list(pool.map(post, range(320)))
    places = [place for answer in answers for place in answer]
    assert len(set(places)) == 1600
    expected = [[number, index] for number in range(320) for index in range(5)]
    assert [record["value"] for record in proxy.fetch(topic, places)] == expected


def test_a_record_that_kafka_refuses_does_not_fail_the_others(proxy: Proxy, topic: str) -> None:
    # Random, so that compression cannot bring it under the topic's limit.
    too_large = base64_text(secrets.token_bytes(2_000_000))
    records = [{"value": base64_text(b"1")}, {"value": too_large}, {"value": base64_text(b"3")}]
    answer = proxy.post(f"/topics/{topic}", {"records": records}, BINARY)
    assert answer.status_code == 200, answer.text
    first, refused, third = answer.json()["offsets"]
    assert refused["error_code"] == 50002
    assert refused["error"]
    assert refused["partition"] is None
    assert refused["offset"] is None
    assert first["error_code"] is None
    assert third["error_code"] is None


def test_decided_an_unknown_partition_in_a_record_is_that_records_error(proxy: Proxy, topic: str) -> None:
    answer = proxy.post(f"/topics/{topic}", {"records": [{"value": 1, "partition": 99}, {"value": 2}]}, JSON)
    assert answer.status_code == 200, answer.text
    assert [offset["error_code"] for offset in answer.json()["offsets"]] == [50002, None]


def test_a_chunked_body(proxy: Proxy, topic: str) -> None:
    chunks = iter([b'{"records":[{"va', b'lue":"chunk', b'ed"}]}'])
    answer = proxy.request("POST", f"/topics/{topic}", data=chunks, headers={"Content-Type": JSON})
    [record] = proxy.fetch(topic, acknowledged(answer, 1))
    assert record["value"] == "chunked"


def test_the_classic_clients_request(proxy: Proxy, topic: str) -> None:
    """As the original emulator sends it: one record without a key, the body as text (contract §2)."""
    row = {"index": 7528, "unique_id": "fbe53c66-3442-4773-b19e-d3ec6f54dddf", "follower_count": "2M", "downloaded": 0}
    payload = json.dumps({"records": [{"value": row}]})
    answer = proxy.request("POST", f"/topics/{topic}", data=payload, headers={"Content-Type": JSON})
    [record] = proxy.fetch(topic, acknowledged(answer, 1))
    assert record["value"] == row
