"""The API's stand-in: a plain object that answers, behind `conftest.far_side`'s HTTP server."""

import base64
import re
import threading
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

USER_ID = "0a1b2c"

Answer = tuple[int, Any]
Fault = Answer | str
"""An answer, or "drop": the connection is closed without one."""


@dataclass
class FarSide:
    """Plays the gateway, the REST proxy and Kinesis as contract §2–§4 document them, apart from the faults it is given.

    To the SDK it plays Kinesis itself, whose paths are the names of its operations, `Kinesis_20131202.PutRecord`.
    """

    url: str = ""
    faults: list[Fault] = field(default_factory=list)
    """Taken one by one by the next requests that send records."""
    always: Fault | None = None
    check_answer: Answer = (200, {})
    """To every GET, and to DescribeStreamSummary."""
    requests: list[tuple[str, str, Any]] = field(default_factory=list)
    """Method, path, body of what was sent; checks are left out."""
    content_types: set[str] = field(default_factory=set)
    acknowledged: list[tuple[str, int, int]] = field(default_factory=list)
    """Topic or stream, post index, number in that log. Noted before the answer is sent."""
    lock: threading.Lock = field(default_factory=threading.Lock)
    on_request: Callable[[int], None] = lambda number: None
    logs: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def answer(self, method: str, path: str, body: Any) -> Fault:
        with self.lock:
            self.requests.append((method, path, body))
            number = len(self.requests)
            fault = self.faults.pop(0) if self.faults else self.always
            reply = fault or self.documented(path, body)
        self.on_request(number)
        return reply

    def documented(self, path: str, body: Any) -> Answer:
        if topic := re.fullmatch(r"/topics/(.+)", path):
            entries = [self.take(topic[1], one["key"]) for one in body["records"]]
            offsets = [{"partition": 1, "offset": n, "error_code": None, "error": None} for n in entries]
            return 200, {"offsets": offsets, "key_schema_id": None, "value_schema_id": None}
        if stream := re.fullmatch(r"/streams/(.+)/record", path):
            assert body["StreamName"] == stream[1]
            return 200, self.sequence(stream[1], body["PartitionKey"])
        if path.endswith(".PutRecord"):
            return 200, self.sequence(body["StreamName"], body["PartitionKey"])
        if path.endswith(".PutRecords"):
            sequences = [self.sequence(body["StreamName"], one["PartitionKey"]) for one in body["Records"]]
            return 200, {"FailedRecordCount": 0, "Records": sequences}
        if stream := re.fullmatch(r"/streams/(.+)/records", path):
            keys = [one["partition-key"] for one in body.get("records", ())]
            keys += [one["PartitionKey"] for one in body.get("Records", ())]
            sequences = [self.sequence(stream[1], key) for key in keys]
            return 200, {"FailedRecordCount": 0, "Records": sequences}
        raise AssertionError(path)

    def take(self, log: str, index: int) -> int:
        self.logs[log] += 1
        self.acknowledged.append((log, index, self.logs[log] - 1))
        return self.logs[log] - 1

    def sequence(self, stream: str, key: str) -> dict[str, str]:
        return {"ShardId": "shardId-000000000002", "SequenceNumber": f"4959{self.take(stream, int(key)):052}"}


def sent_data(entry: dict[str, str]) -> bytes:
    """What a record's `Data` says on the SDK's wire."""
    return base64.b64decode(entry["Data"], validate=True)
