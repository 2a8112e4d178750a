"""A stand-in for Kinesis, over HTTP: AWS' behaviour where a reader can be hurt by it, and no more than a reader asks for."""

import base64
import json
import threading
import time
from collections import Counter, deque
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

FIRST_SEQUENCE = 49590338271490256608559692538361571095921575989136588898
HOUR = 3_600_000


@dataclass
class Shard:
    name: str
    parents: list[str]
    starting: int
    records: list[dict[str, Any]] = field(default_factory=list)
    ending: int | None = None
    closed_at: int = 0


class FaultError(Exception):
    def __init__(self, code: str, message: str = "as asked for") -> None:
        super().__init__(message)
        self.code = code


class Kinesis:
    """One stream, `posts`. `clock` gives the time in ms; `faults` and `gaps` are used up by the next calls that meet them."""

    def __init__(self, shards: int = 1, clock: Any = lambda: time.time_ns() // 1_000_000) -> None:
        self.clock = clock
        self.retention_hours = 24
        self.calls: Counter[str] = Counter()
        self.faults: dict[str, deque[str]] = {}
        """Operation -> the codes that its next calls are answered with."""
        self.gaps = 0
        """So many answers of GetRecords are empty though there is more behind them, as at AWS."""
        self.strict = False
        """As in emulators: a sequence number that is not there any more is not found."""
        self.limits: list[int] = []
        self.keys: set[str] = set()
        self._lock = threading.RLock()
        self._next = FIRST_SEQUENCE
        self._era = 0
        self.shards: dict[str, Shard] = {}
        for _ in range(shards):
            self._open([])

    def put(self, data: bytes | str, shard: int = 0, key: str = "key", ago: int = 0) -> str:
        """A record in the n-th shard that was ever made, which arrived `ago` ms ago. Gives its sequence number."""
        with self._lock:
            target = list(self.shards.values())[shard]
            assert target.ending is None, f"{target.name} is closed"
            sequence = self._number()
            record = {"sequence": sequence, "data": data.encode() if isinstance(data, str) else data}
            target.records.append(record | {"key": key, "arrival": self.clock() - ago})
            return str(sequence)

    def reshard(self, *parents: int) -> None:
        """Split one shard, or merge two."""
        with self._lock:
            names = [list(self.shards)[parent] for parent in parents]
            for name in names:
                self.shards[name].ending, self.shards[name].closed_at = self._number(), self.clock()
            for _ in range(2 if len(names) == 1 else 1):
                self._open(names)

    def expire_iterators(self) -> None:
        self._era += 1

    def recreate(self, shards: int) -> None:
        """Delete the stream and make it again."""
        self.shards = {}
        for _ in range(shards):
            self._open([])

    def _number(self) -> int:
        self._next += 7
        return self._next

    def _open(self, parents: list[str]) -> None:
        name = f"shardId-{len(self.shards):012}"
        self.shards[name] = Shard(name, parents, self._number())

    def _trim(self) -> None:
        oldest = self.clock() - self.retention_hours * HOUR
        for shard in self.shards.values():
            shard.records = [record for record in shard.records if record["arrival"] >= oldest]

    def _listed(self) -> list[Shard]:
        oldest = self.clock() - self.retention_hours * HOUR
        return [shard for shard in self.shards.values() if shard.ending is None or shard.closed_at >= oldest]

    def answer(self, operation: str, asked: dict[str, Any]) -> dict[str, Any]:
        with self._lock:
            self.calls[operation] += 1
            if self.faults.get(operation):
                raise FaultError(self.faults[operation].popleft())
            self._trim()
            if asked.get("StreamName", "posts") != "posts":
                raise FaultError("ResourceNotFoundException", f"Stream {asked['StreamName']} not found")
            return getattr(self, operation)(asked)

    def DescribeStreamSummary(self, asked: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        return {"StreamDescriptionSummary": {"RetentionPeriodHours": self.retention_hours}}

    def ListShards(self, asked: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        """Two shards a page."""
        assert ("StreamName" in asked) != ("NextToken" in asked), asked
        first, found = int(asked.get("NextToken", 0)), self._listed()
        page = [
            {
                "ShardId": shard.name,
                "SequenceNumberRange": {"StartingSequenceNumber": str(shard.starting)}
                | ({} if shard.ending is None else {"EndingSequenceNumber": str(shard.ending)}),
                "HashKeyRange": {"StartingHashKey": "0", "EndingHashKey": "1"},
            }
            | dict(zip(("ParentShardId", "AdjacentParentShardId"), shard.parents, strict=False))
            for shard in found[first : first + 2]
        ]
        return {"Shards": page} | ({"NextToken": str(first + 2)} if first + 2 < len(found) else {})

    def GetShardIterator(self, asked: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        shard = next((s for s in self._listed() if s.name == asked["ShardId"]), None)
        if shard is None:
            raise FaultError("ResourceNotFoundException", f"Shard {asked['ShardId']} not found")
        kind, start = asked["ShardIteratorType"], 0
        if kind == "AT_TIMESTAMP":
            since = asked["Timestamp"] * 1000
            if since > self.clock() + 1:
                raise FaultError(
                    "InvalidArgumentException", "The timestampInMillis parameter cannot be greater than the current one"
                )
            # In whole seconds, as some clients and servers round: a reader must not rely on more.
            since = since // 1000 * 1000
            start = next((r["sequence"] for r in shard.records if r["arrival"] >= since), self._next + 1)
        elif kind != "TRIM_HORIZON":
            start = int(asked["StartingSequenceNumber"])
            if start < shard.starting or (shard.ending is not None and start > shard.ending):
                raise FaultError("InvalidArgumentException", "It did not come from this stream")
            if self.strict and all(record["sequence"] != start for record in shard.records):
                raise FaultError("ResourceNotFoundException", "Unable to find record with provided SequenceNumber")
            start += kind == "AFTER_SEQUENCE_NUMBER"
        return {"ShardIterator": self._iterator(shard.name, start)}

    def GetRecords(self, asked: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        era, name, start = json.loads(base64.b64decode(asked["ShardIterator"]))
        self.limits.append(asked["Limit"])
        if era != self._era:
            raise FaultError("ExpiredIteratorException", "Iterator expired")
        shard = self.shards[name]
        waiting = [record for record in shard.records if record["sequence"] >= start]
        if waiting and self.gaps > 0:
            self.gaps -= 1
            return {"Records": [], "NextShardIterator": asked["ShardIterator"], "MillisBehindLatest": 1000}
        given = waiting[: asked["Limit"]]
        last = given[-1]["sequence"] + 1 if given else start
        left = waiting[len(given) :]
        return {
            "Records": [
                {
                    "SequenceNumber": str(record["sequence"]),
                    "PartitionKey": record["key"],
                    "Data": base64.b64encode(record["data"]).decode(),
                    "ApproximateArrivalTimestamp": record["arrival"] / 1000,
                }
                for record in given
            ],
            "MillisBehindLatest": max(1, self.clock() - given[-1]["arrival"]) if left and given else 0,
        } | ({} if shard.ending is not None and not left else {"NextShardIterator": self._iterator(name, last)})

    def _iterator(self, shard: str, start: int) -> str:
        return base64.b64encode(json.dumps([self._era, shard, start]).encode()).decode()


class Server:
    """Serves a `Kinesis` on a port of its own, speaking JSON 1.1, until `close`."""

    def __init__(self, kinesis: Kinesis) -> None:
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                operation = self.headers["X-Amz-Target"].removeprefix("Kinesis_20131202.")
                asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                kinesis.keys.add(self.headers.get("Authorization", ""))
                try:
                    status, body = 200, kinesis.answer(operation, asked)
                except FaultError as fault:
                    status, body = 400, {"__type": fault.code, "message": str(fault)}
                text = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/x-amz-json-1.1")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *arguments: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
