"""The original emulators, written from the contract alone (§2): plain `requests`, no key, no retry, no ledger; and how a reader checks what came in.

Nothing here is shared with our own emulator: what these send must be served as it is.
"""

import json
import random
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import requests

V2 = "application/vnd.kafka.v2+json"
KAFKA_JSON = "application/vnd.kafka.json.v2+json"
PATIENCE_S = 60

Row = dict[str, Any]
"""A row as MySQL's driver gives it: its dates are datetimes."""
DateForm = Callable[[datetime], str]

DATE_FORMS: dict[str, DateForm] = {
    "ISO-8601": datetime.isoformat,
    "with a blank": str,  # json.dumps(…, default=str)
    "with colons": lambda date: date.strftime("%Y:%m:%d %H:%M:%S"),
}


def indices() -> Iterator[int]:
    """The posts that a classic client sends, without its sleep."""
    chance = random.Random(100)
    while True:
        chance.randrange(0, 2)
        yield chance.randint(0, 11000)


def post_to_kafka(api: str, topic: str, row: Row, dates: DateForm) -> requests.Response:
    """The batch emulator's one request for each row."""
    payload = json.dumps({"records": [{"value": row}]}, default=dates)
    headers = {"Content-Type": KAFKA_JSON}
    return requests.request("POST", f"{api}/topics/{topic}", headers=headers, data=payload, timeout=PATIENCE_S)


def put_record(api: str, stream: str, row: Row, dates: DateForm) -> requests.Response:
    """The streaming emulator's one request for each row."""
    body = {"StreamName": stream, "Data": row, "PartitionKey": "partition-1"}
    return _to_kinesis("PUT", f"{api}/streams/{stream}/record", body, dates)


def put_records(api: str, stream: str, row: Row, dates: DateForm) -> requests.Response:
    """A batch in the API's own spelling."""
    body = {"records": [{"data": row, "partition-key": "partition-1"}]}
    return _to_kinesis("PUT", f"{api}/streams/{stream}/records", body, dates)


def post_records(api: str, stream: str, row: Row, dates: DateForm) -> requests.Response:
    """A batch in Kinesis' spelling."""
    body = {"Records": [{"Data": row, "PartitionKey": "partition-1"}]}
    return _to_kinesis("POST", f"{api}/streams/{stream}/records", body, dates)


BODY_FORMS = {"one record": put_record, "records": put_records, "Records": post_records}


def _to_kinesis(method: str, url: str, body: dict[str, Any], dates: DateForm) -> requests.Response:
    headers = {"Content-Type": "application/json"}
    return requests.request(method, url, headers=headers, data=json.dumps(body, default=dates), timeout=PATIENCE_S)


class Reader:
    """A consumer instance of the v2 API, found again by the `base_uri` that the proxy gives."""

    def __init__(self, api: str, group: str) -> None:
        wanted = {"format": "json", "auto.offset.reset": "earliest"}
        created = self._send("POST", f"{api}/consumers/{group}", wanted)
        self.uri: str = created.json()["base_uri"]

    def subscribe(self, topic: str) -> None:
        self._send("POST", f"{self.uri}/subscription", {"topics": [topic]})

    def records(self) -> list[dict[str, Any]]:
        answer = requests.request("GET", f"{self.uri}/records", headers={"Accept": KAFKA_JSON}, timeout=PATIENCE_S)
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()
        return found

    def delete(self) -> None:
        self._send("DELETE", self.uri)

    def _send(self, method: str, url: str, body: dict[str, Any] | None = None) -> requests.Response:
        data = None if body is None else json.dumps(body)
        answer = requests.request(method, url, headers={"Content-Type": V2}, data=data, timeout=PATIENCE_S)
        assert answer.ok, f"{method} {url}: {answer.status_code} {answer.text}"
        return answer
