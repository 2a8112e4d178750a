"""A REST proxy as its users see it: requests, answers, and consumers that clean up after themselves."""

import time
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests

V2 = "application/vnd.kafka.v2+json"
JSON = "application/vnd.kafka.json.v2+json"
BINARY = "application/vnd.kafka.binary.v2+json"
PATIENCE_S = 60
"""How long a condition may take to come true; a test that fails takes as long."""

Place = tuple[int, int]
"""Partition and offset of a record: where the proxy says that it is."""


def _media_type(fmt: str) -> str:
    return {"json": JSON, "binary": BINARY}[fmt]


@dataclass(frozen=True)
class Consumer:
    """A consumer instance, addressed by the path that the API documents."""

    proxy: "Proxy"
    path: str
    fmt: str
    created: dict[str, Any]

    def post(self, call: str, body: Any = None) -> requests.Response:
        return self.proxy.post(f"{self.path}/{call}", body, V2)

    def get(self, call: str, body: Any = None) -> requests.Response:
        headers = {} if body is None else {"Content-Type": V2}
        return self.proxy.request("GET", f"{self.path}/{call}", json=body, headers=headers)

    def delete(self, call: str = "") -> requests.Response:
        return self.proxy.request("DELETE", f"{self.path}/{call}".rstrip("/"))

    def records(self, accept: str | None = None, **parameters: int) -> requests.Response:
        headers = {"Accept": accept or _media_type(self.fmt)}
        return self.proxy.request("GET", f"{self.path}/records", headers=headers, params=parameters)

    def read(self, wanted: Iterable[Place], **parameters: int) -> dict[Place, dict[str, Any]]:
        """Read until all these records have come; what comes besides is dropped. Many short reads, as one lasts as long as it may."""
        parameters = {"timeout": 100, **parameters}
        missing = set(wanted)
        found: dict[Place, dict[str, Any]] = {}
        deadline = time.monotonic() + PATIENCE_S
        while missing:
            assert time.monotonic() < deadline, f"{len(missing)} records never came, {sorted(missing)[:3]} among them"
            answer = self.records(**parameters)
            assert answer.status_code == 200, answer.text
            for record in answer.json():
                place = record["partition"], record["offset"]
                if place in missing:
                    missing.remove(place)
                    found[place] = record
        return found

    def start_at(self, topic: str, places: Iterable[Place]) -> None:
        """Assign these records' partitions, and stand at the first record of each."""
        first: dict[int, int] = {}
        for partition, offset in places:
            first[partition] = min(offset, first.get(partition, offset))
        partitions = [{"topic": topic, "partition": partition} for partition in first]
        assert self.post("assignments", {"partitions": partitions}).status_code == 204
        offsets = [{"topic": topic, "partition": partition, "offset": offset} for partition, offset in first.items()]
        assert self.post("positions", {"offsets": offsets}).status_code == 204

    def join(self, topic: str) -> None:
        """Subscribe, and wait for all three partitions."""
        assert self.post("subscription", {"topics": [topic]}).status_code == 204
        deadline = time.monotonic() + PATIENCE_S
        while len(self.get("assignments").json()["partitions"]) < 3:
            assert time.monotonic() < deadline, "the consumer never got its partitions"
            assert self.records(timeout=200).status_code == 200


class Proxy:
    """The proxy at a URL."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self.path = urlsplit(self.url).path

    def request(self, method: str, path: str, **options: Any) -> requests.Response:
        return requests.request(method, self.url + path, timeout=PATIENCE_S, **options)

    def get(self, path: str) -> requests.Response:
        return self.request("GET", path)

    def post(self, path: str, body: Any, content_type: str) -> requests.Response:
        return self.request("POST", path, json=body, headers={"Content-Type": content_type})

    def post_text(self, path: str, text: str | bytes, content_type: str = JSON) -> requests.Response:
        data = text.encode() if isinstance(text, str) else text
        return self.request("POST", path, data=data, headers={"Content-Type": content_type})

    def produce(self, topic: str, *records: dict[str, Any], fmt: str = "json") -> list[Place]:
        """Write records, and insist that each was acknowledged."""
        answer = self.post(f"/topics/{topic}", {"records": records}, _media_type(fmt))
        return acknowledged(answer, len(records))

    @contextmanager
    def consumer(self, fmt: str = "json", group: str | None = None, **settings: Any) -> Iterator[Consumer]:
        """A new instance, deleted at the end if the test has not done so."""
        group = group or f"contract-{uuid.uuid4()}"
        name = str(uuid.uuid4())
        request = {"name": name, "format": fmt, **{key.replace("_", "."): value for key, value in settings.items()}}
        answer = self.post(f"/consumers/{group}", request, V2)
        assert answer.status_code == 200, answer.text
        consumer = Consumer(self, f"/consumers/{group}/instances/{name}", fmt, answer.json())
        try:
            yield consumer
        finally:
            consumer.delete()

    def group_at_the_end(self, topic: str) -> str:
        """A new group whose members will read what is written from now on, and nothing older."""
        group = f"contract-{uuid.uuid4()}"
        places = self.produce(topic, *({"value": "the end", "partition": partition} for partition in range(3)))
        last = [{"topic": topic, "partition": partition, "offset": offset} for partition, offset in places]
        with self.consumer("binary", group) as consumer:
            consumer.start_at(topic, places)
            assert consumer.post("offsets", {"offsets": last}).status_code == 200
        return group

    def fetch(self, topic: str, places: list[Place], fmt: str = "json") -> list[dict[str, Any]]:
        """The records at these places, in this order."""
        with self.consumer(fmt) as consumer:
            consumer.start_at(topic, places)
            found = consumer.read(places)
        return [found[place] for place in places]


def acknowledged(answer: requests.Response, count: int) -> list[Place]:
    """Where the records of a request are, after checking that all of them are in Kafka."""
    assert answer.status_code == 200, answer.text
    offsets = answer.json()["offsets"]
    assert len(offsets) == count
    assert [offset for offset in offsets if offset["error_code"] is not None] == []
    return [(offset["partition"], offset["offset"]) for offset in offsets]


def error_code(answer: requests.Response, status: int) -> int:
    """The code in an error's body, after checking its status and form."""
    assert answer.status_code == status, f"{answer.status_code}: {answer.text}"
    body = answer.json()
    assert isinstance(body["message"], str)
    assert body["message"]
    return int(body["error_code"])
