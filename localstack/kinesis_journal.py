"""A journal of LocalStack's Kinesis, so that what it has acknowledged outlives it. Runs inside LocalStack, which keep_kinesis.py joins it to.

Its Kinesis (kinesis-mock, a server of its own) holds everything in memory and would write all of it to a file once in a while: a kill costs what
came since, and one that hits the writing leaves half a file, with which it never starts again. Here each acknowledged change is a line in a journal
before the answer goes out, and the file that kinesis-mock reads when it starts is made from that. Lines are flushed, not synced: they survive
every end of the process, not the machine's loss of power. Registered consumers and tags are not kept.

A line is one of
    {"stream": ARN, "records": [[shard id, record], …]}    records as kinesis-mock keeps them, and GetRecords gives them
    {"stream": ARN, "state": {…, "shards": [shard, …]}}    the stream without its records, after it was made or changed
    {"stream": ARN, "state": null}                         the stream was deleted
"""

import json
import os
import sys
import threading
import time
from base64 import b64encode
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

HOUR = 3600


class JournalError(Exception):
    """A line in the middle of the journal cannot be read. The message says which."""


@dataclass
class Stream:
    """What a journal says of one stream: the stream itself, and the records of each shard."""

    state: dict[str, Any]
    records: dict[str, list[dict[str, Any]]]


def read(lines: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    """The journal's entries. A last line without its end was never acknowledged; any other that is no JSON raises `JournalError`."""
    for number, line in enumerate(lines, 1):
        if not line.endswith(b"\n"):
            return
        try:
            yield json.loads(line)
        except ValueError as error:
            raise JournalError(
                f"Line {number} of the journal is no JSON: {error}. The volume localstack is damaged."
            ) from error


def fold(entries: Iterable[dict[str, Any]], now: float) -> dict[str, Stream]:
    """The streams as they stood after the last entry, without the records that are past their stream's retention at `now` (UNIX seconds).

    Records are sorted by sequence number, as requests that ran side by side may have been written in any order.
    """
    states: dict[str, dict[str, Any]] = {}
    records: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for entry in entries:
        arn = entry["stream"]
        if "records" in entry:
            shards = records.setdefault(arn, {})
            for shard, record in entry["records"]:
                shards.setdefault(shard, []).append(record)
        elif entry["state"] is None:
            states.pop(arn, None)
            records.pop(arn, None)
        else:
            states[arn] = entry["state"]
    streams = {arn: Stream(state, records.get(arn, {})) for arn, state in states.items()}
    for stream in streams.values():
        oldest = now - stream.state["retentionPeriod"]["length"] * HOUR
        for shard, held in stream.records.items():
            kept = [record for record in held if record["ApproximateArrivalTimestamp"] >= oldest]
            stream.records[shard] = sorted(kept, key=lambda record: int(record["SequenceNumber"]))
    return streams


def kinesis_state(streams: dict[str, Stream]) -> dict[str, Any]:
    """The file that kinesis-mock 0.5.2 reads at its start: of each shard, which is a key in JSON, the records."""
    return {
        "streams": {
            arn: stream.state
            | {
                "shards": {
                    json.dumps(shard): stream.records.get(shard["ShardId"], []) for shard in stream.state["shards"]
                }
            }
            for arn, stream in streams.items()
        }
    }


def compacted(streams: dict[str, Stream]) -> Iterator[dict[str, Any]]:
    """The fewest entries that say the same."""
    for arn, stream in streams.items():
        yield {"stream": arn, "state": stream.state}
        for shard, records in stream.records.items():
            if records:
                yield {"stream": arn, "records": [[shard, record] for record in records]}


def stream_state(arn: str, summary: dict[str, Any], shards: list[dict[str, Any]]) -> dict[str, Any]:
    """A stream without its records, from the answers to DescribeStreamSummary and ListShards."""
    return {
        "consumers": {},
        "encryptionType": summary.get("EncryptionType", "NONE"),
        "enhancedMonitoring": summary["EnhancedMonitoring"],
        "keyId": summary.get("KeyId"),
        "retentionPeriod": {"length": summary["RetentionPeriodHours"], "unit": "HOURS"},
        "shards": [_shard_state(shard) for shard in shards],
        "streamArn": arn,
        "streamCreationTimestamp": _iso(summary["StreamCreationTimestamp"]),
        "streamModeDetails": summary["StreamModeDetails"],
        "streamName": summary["StreamName"],
        "streamStatus": summary["StreamStatus"],
        "tags": {},
        "shardCountUpdates": [],
    }


def _shard_state(shard: dict[str, Any]) -> dict[str, Any]:
    sequences = shard["SequenceNumberRange"]
    now = _iso(datetime.now(UTC))  # no answer gives a shard's times; kinesis-mock drops a closed one by its end
    return {
        "AdjacentParentShardId": shard.get("AdjacentParentShardId"),
        "ClosedTimestamp": now if sequences.get("EndingSequenceNumber") else None,
        "CreatedAtTimestamp": now,
        "HashKeyRange": shard["HashKeyRange"],
        "ParentShardId": shard.get("ParentShardId"),
        "SequenceNumberRange": {
            "EndingSequenceNumber": sequences.get("EndingSequenceNumber"),
            "StartingSequenceNumber": sequences["StartingSequenceNumber"],
        },
        "ShardId": shard["ShardId"],
        "ShardIndex": int(shard["ShardId"].removeprefix("shardId-")),
    }


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def taken(request: dict[str, Any], answer: dict[str, Any], now: float) -> list[tuple[str, dict[str, Any]]]:
    """The records of a PutRecord or PutRecords that the answer says were taken, each with its shard's id."""
    sent, answers = (request["Records"], answer["Records"]) if "Records" in request else ([request], [answer])
    return [
        (
            one["ShardId"],
            {
                "ApproximateArrivalTimestamp": round(now, 3),
                "Data": b64encode(record["Data"]).decode(),
                "EncryptionType": "NONE",
                "PartitionKey": record["PartitionKey"],
                "SequenceNumber": one["SequenceNumber"],
            },
        )
        for record, one in zip(sent, answers, strict=True)
        if one.get("SequenceNumber")
    ]


def _streams(journal: Path) -> dict[str, Stream]:
    if not journal.exists():
        return {}
    with journal.open("rb") as lines:
        return fold(read(lines), time.time())


def _replace(file: Path, lines: Iterable[dict[str, Any]]) -> None:
    new = file.with_suffix(".new")
    with new.open("wb") as out:
        for line in lines:
            out.write(json.dumps(line).encode() + b"\n")
    new.replace(file)


def restore(journal: Path, state: Path) -> None:
    """Make kinesis-mock's file from the journal."""
    _replace(state, [kinesis_state(_streams(journal))])


class Journal:
    """Appends to one account's journal, from many threads. Opening it drops what is past retention."""

    def __init__(self, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        _replace(file, compacted(_streams(file)))
        self._file = file.open("ab")
        self._lock = threading.Lock()

    def append(self, entry: dict[str, Any]) -> None:
        line = json.dumps(entry).encode() + b"\n"
        with self._lock:
            self._file.write(line)
            self._file.flush()


if __name__ == "__main__":
    restore(Path(sys.argv[1]), Path(sys.argv[2]))
    os.execvp(sys.argv[3], sys.argv[3:])
