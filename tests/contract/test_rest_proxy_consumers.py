"""Reading through consumer instances."""

import secrets
import uuid
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.contract.proxy import BINARY, JSON, V2, Proxy, error_code


def test_the_answer_says_where_the_instance_is(proxy: Proxy) -> None:
    with proxy.consumer() as consumer:
        name = consumer.path.rsplit("/", 1)[1]
        assert consumer.created["instance_id"] == name
        uri = urlsplit(consumer.created["base_uri"])
        assert uri.scheme in ("http", "https")
        assert uri.netloc
        assert uri.path.endswith(consumer.path)


def test_a_name_is_made_up_where_none_is_given(proxy: Proxy) -> None:
    group = f"contract-{uuid.uuid4()}"
    answer = proxy.post(f"/consumers/{group}", {}, V2)
    assert answer.status_code == 200, answer.text
    name = answer.json()["instance_id"]
    assert name
    assert proxy.request("DELETE", f"/consumers/{group}/instances/{name}").status_code == 204


def test_a_name_can_be_taken_once(proxy: Proxy) -> None:
    with proxy.consumer() as consumer:
        group, name = consumer.path.split("/")[2::2]
        assert error_code(proxy.post(f"/consumers/{group}", {"name": name, "format": "json"}, V2), 409) == 40902


@pytest.mark.parametrize(
    "settings",
    [{"auto.offset.reset": "smallest"}, {"auto.offset.reset": ""}, {"auto.commit.enable": "perhaps"}],
    ids=repr,
)
def test_an_impossible_setting(proxy: Proxy, settings: dict[str, Any]) -> None:
    answer = proxy.post(f"/consumers/contract-{uuid.uuid4()}", {"format": "json", **settings}, V2)
    assert error_code(answer, 422) == 42204


def test_an_unknown_format(proxy: Proxy) -> None:
    assert error_code(proxy.post("/consumers/contract", {"format": "xml"}, V2), 422) in (422, 42204)


def test_an_unsupported_content_type(proxy: Proxy) -> None:
    assert error_code(proxy.post("/consumers/contract", {"format": "json"}, "application/json"), 415) == 415


@pytest.mark.parametrize(
    ("method", "call"),
    [
        ("GET", "/records"),
        ("GET", "/subscription"),
        ("GET", "/assignments"),
        ("POST", "/subscription"),
        ("POST", "/offsets"),
        ("DELETE", ""),
    ],
)
def test_an_instance_that_is_not_there(proxy: Proxy, method: str, call: str) -> None:
    body = {"topics": ["t"]} if call == "/subscription" and method == "POST" else None
    headers = {"Accept": JSON} if method == "GET" else {"Content-Type": V2}
    answer = proxy.request(method, f"/consumers/contract/instances/nobody{call}", json=body, headers=headers)
    assert error_code(answer, 404) == 40403


def test_a_deleted_instance_is_gone(proxy: Proxy) -> None:
    with proxy.consumer() as consumer:
        assert consumer.delete().status_code == 204
        assert error_code(consumer.records(), 404) == 40403


def test_a_format_that_the_instance_does_not_have(proxy: Proxy, topic: str) -> None:
    with proxy.consumer("json") as consumer:
        consumer.start_at(topic, proxy.produce(topic, {"value": 1}))
        assert error_code(consumer.records(accept=BINARY), 406) == 40601


def test_an_answer_that_nobody_has(proxy: Proxy, topic: str) -> None:
    with proxy.consumer("json") as consumer:
        consumer.start_at(topic, proxy.produce(topic, {"value": 1}))
        assert error_code(consumer.records(accept="text/html"), 406) == 406


@pytest.mark.parametrize(("fmt", "media_type"), [("json", JSON), ("binary", BINARY)])
def test_the_answers_type_is_the_formats(proxy: Proxy, topic: str, fmt: str, media_type: str) -> None:
    with proxy.consumer(fmt) as consumer:
        consumer.start_at(topic, proxy.produce(topic, {"value": 1}))
        assert consumer.records().headers["Content-Type"].split(";")[0] == media_type


def test_decided_without_a_wish_the_instances_format_is_used(proxy: Proxy, topic: str) -> None:
    with proxy.consumer("json") as consumer:
        consumer.start_at(topic, proxy.produce(topic, {"value": 1}))
        assert consumer.records(accept="*/*").headers["Content-Type"].split(";")[0] == JSON


def test_a_subscription(proxy: Proxy, topic: str) -> None:
    with proxy.consumer("binary", proxy.group_at_the_end(topic), auto_offset_reset="none") as consumer:
        consumer.join(topic)
        assert consumer.get("subscription").json() == {"topics": [topic]}
        places = proxy.produce(topic, *({"value": partition, "partition": partition} for partition in range(3)))
        assert len(consumer.read(places)) == 3
        assert consumer.delete("subscription").status_code == 204
        assert consumer.get("subscription").json() == {"topics": []}


def test_a_subscription_by_pattern(proxy: Proxy, topic: str) -> None:
    with proxy.consumer("binary", proxy.group_at_the_end(topic), auto_offset_reset="none") as consumer:
        pattern = topic[:-1].replace(".", "[.]") + "."
        assert consumer.post("subscription", {"topic_pattern": pattern}).status_code == 204
        assert len(consumer.read(proxy.produce(topic, {"value": 1}))) == 1


def test_a_subscription_excludes_an_assignment(proxy: Proxy, topic: str) -> None:
    partitions = {"partitions": [{"topic": topic, "partition": 0}]}
    with proxy.consumer() as consumer:
        assert consumer.post("subscription", {"topics": [topic]}).status_code == 204
        assert error_code(consumer.post("assignments", partitions), 409) == 40903
    with proxy.consumer() as consumer:
        assert consumer.post("assignments", partitions).status_code == 204
        assert error_code(consumer.post("subscription", {"topics": [topic]}), 409) == 40903


def test_an_assignment(proxy: Proxy, topic: str) -> None:
    wanted = [{"topic": topic, "partition": partition} for partition in (0, 2)]
    with proxy.consumer() as consumer:
        assert consumer.get("assignments").json() == {"partitions": []}
        assert consumer.post("assignments", {"partitions": wanted}).status_code == 204
        assigned = consumer.get("assignments").json()["partitions"]
        assert sorted(assigned, key=lambda place: int(place["partition"])) == wanted


def test_moving_needs_an_assignment(proxy: Proxy, topic: str) -> None:
    with proxy.consumer() as consumer:
        body = {"offsets": [{"topic": topic, "partition": 0, "offset": 0}]}
        assert error_code(consumer.post("positions", body), 409) == 40903


def test_moving_back_and_forth(proxy: Proxy, topic: str) -> None:
    places = proxy.produce(topic, *({"value": number, "partition": 0} for number in range(5)))
    partition = {"partitions": [{"topic": topic, "partition": 0}]}
    with proxy.consumer("binary") as consumer:
        consumer.start_at(topic, places)
        assert len(consumer.read(places)) == 5
        back = {"offsets": [{"topic": topic, "partition": 0, "offset": places[3][1]}]}
        assert consumer.post("positions", back).status_code == 204
        again = consumer.read(places[3:])
        assert set(again) == set(places[3:])
        assert consumer.post("positions/beginning", partition).status_code == 204
        first = proxy.get(f"/topics/{topic}/partitions/0/offsets").json()["beginning_offset"]
        assert consumer.read([(0, first)])
        assert consumer.post("positions/end", partition).status_code == 204
        # Where the end is, is looked up at the next read; only a record after that is sure to come.
        assert consumer.records().json() == []
        new = proxy.produce(topic, {"value": "new", "partition": 0})
        assert set(consumer.read(new)) == set(new)


def test_moving_one_partition_leaves_the_others(proxy: Proxy, topic: str) -> None:
    places = proxy.produce(topic, *({"value": number, "partition": number % 2} for number in range(6)))
    with proxy.consumer("binary") as consumer:
        consumer.start_at(topic, places)
        assert len(consumer.read(places)) == 6
        later = proxy.produce(topic, {"value": "later", "partition": 1})
        back = {"offsets": [{"topic": topic, "partition": 0, "offset": places[0][1]}]}
        assert consumer.post("positions", back).status_code == 204
        wanted = [place for place in places if place[0] == 0] + later
        seen: list[tuple[int, int]] = []
        while not set(wanted) <= set(seen):
            seen += [(record["partition"], record["offset"]) for record in consumer.records().json()]
        assert sorted(seen) == sorted(wanted)


def test_commits_are_where_the_group_reads_on(proxy: Proxy, topic: str) -> None:
    group = f"contract-{uuid.uuid4()}"
    places = proxy.produce(topic, *({"value": number, "partition": 0} for number in range(4)))
    where = {"partitions": [{"topic": topic, "partition": 0}]}
    with proxy.consumer("binary", group, auto_commit_enable="false") as consumer:
        consumer.start_at(topic, places)
        assert consumer.get("offsets", where).json() == {"offsets": []}
        consumer.read(places)
        assert consumer.post("offsets").status_code == 200
        [committed] = consumer.get("offsets", where).json()["offsets"]
        assert (committed["topic"], committed["partition"]) == (topic, 0)
        assert committed["offset"] == places[-1][1] + 1
        # An offset that is given is the last one read: what is committed is the next.
        given = {"offsets": [{"topic": topic, "partition": 0, "offset": places[1][1]}]}
        assert consumer.post("offsets", given).status_code == 200
        [committed] = consumer.get("offsets", where).json()["offsets"]
        assert committed["offset"] == places[2][1]
    with proxy.consumer("binary", group, auto_commit_enable="false") as consumer:
        assert consumer.post("assignments", where).status_code == 204
        seen: list[tuple[int, int]] = []
        while len(seen) < 2:
            seen += [(record["partition"], record["offset"]) for record in consumer.records().json()]
        assert seen == places[2:]


def test_what_was_read_is_committed_when_an_instance_is_deleted(proxy: Proxy, topic: str) -> None:
    group = f"contract-{uuid.uuid4()}"
    places = proxy.produce(topic, *({"value": number, "partition": 0} for number in range(3)))
    with proxy.consumer("binary", group, auto_commit_enable="true") as consumer:
        consumer.start_at(topic, places)
        consumer.read(places)
        assert consumer.delete().status_code == 204
    with proxy.consumer("binary", group) as consumer:
        [committed] = consumer.get("offsets", {"partitions": [{"topic": topic, "partition": 0}]}).json()["offsets"]
        assert committed["offset"] == places[-1][1] + 1


def test_max_bytes_pages_through(proxy: Proxy, topic: str) -> None:
    places = proxy.produce(topic, *({"value": secrets.token_hex(500), "partition": 0} for _ in range(20)))
    with proxy.consumer("binary") as consumer:
        consumer.start_at(topic, places)
        pages = []
        while sum(map(len, pages)) < 20:
            pages.append(consumer.records(max_bytes=3500).json())
            assert len(pages[-1]) <= 3
        assert [record["offset"] for page in pages for record in page] == [offset for _, offset in places]


def test_decided_a_record_over_max_bytes_is_read_alone(proxy: Proxy, topic: str) -> None:
    """Confluent's proxy would answer with nothing, for ever."""
    places = proxy.produce(topic, *({"value": "x" * 1000, "partition": 0} for _ in range(2)))
    with proxy.consumer("binary") as consumer:
        consumer.start_at(topic, places)
        pages: list[list[Any]] = []
        while sum(map(len, pages)) < 2:
            pages.append(consumer.records(max_bytes=10).json())
            assert len(pages[-1]) <= 1


def test_reading_at_the_end_gives_an_empty_list(proxy: Proxy, topic: str) -> None:
    places = proxy.produce(topic, {"value": 1, "partition": 0})
    with proxy.consumer("binary") as consumer:
        consumer.start_at(topic, places)
        consumer.read(places)
        answer = consumer.records(timeout=100)
        assert answer.status_code == 200
        assert answer.json() == []


def test_decided_reading_without_partitions_is_an_illegal_state(proxy: Proxy) -> None:
    with proxy.consumer() as consumer:
        assert error_code(consumer.records(), 409) == 40903


def test_decided_a_record_that_is_not_json(proxy: Proxy, topic: str) -> None:
    """What comes before it is read; then it is named, until the position is moved past it. (Confluent: 408/40801, for ever.)"""
    [before] = proxy.produce(topic, {"value": "before", "partition": 0})
    [(_, broken)] = proxy.produce(topic, {"value": "bm90IEpTT04=", "partition": 0}, fmt="binary")
    [after] = proxy.produce(topic, {"value": "after", "partition": 0})
    with proxy.consumer("json") as consumer:
        consumer.start_at(topic, [before])
        assert consumer.read([before])[before]["value"] == "before"
        for _ in range(2):
            answer = consumer.records()
            assert error_code(answer, 422) == 42203
            assert str(broken) in answer.json()["message"]
        past = {"offsets": [{"topic": topic, "partition": 0, "offset": broken + 1}]}
        assert consumer.post("positions", past).status_code == 204
        assert consumer.read([after])[after]["value"] == "after"
