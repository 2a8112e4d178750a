"""What the journal says of the streams, whenever the writing of it ended."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from kinesis_journal import Journal, JournalError, fold, kinesis_state, read, restore, stream_state, taken

ARN = "arn:aws:kinesis:us-east-1:000000000000:stream/s"
NOW = 1_000_000.0


def shard(number: int, **sequences: str) -> dict[str, Any]:
    """As ListShards gives it."""
    keys = {"StartingHashKey": "0", "EndingHashKey": "9"}
    numbers = {"StartingSequenceNumber": "1", **sequences}
    return {"ShardId": f"shardId-{number:012}", "HashKeyRange": keys, "SequenceNumberRange": numbers}


def state(*shards: dict[str, Any]) -> dict[str, Any]:
    summary = {
        "EnhancedMonitoring": [{"ShardLevelMetrics": []}],
        "RetentionPeriodHours": 24,
        "StreamCreationTimestamp": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        "StreamModeDetails": {"StreamMode": "PROVISIONED"},
        "StreamName": "s",
        "StreamStatus": "ACTIVE",
    }
    return stream_state(ARN, summary, list(shards))


def record(sequence: int, at: float = NOW) -> dict[str, Any]:
    return {"SequenceNumber": str(sequence), "ApproximateArrivalTimestamp": at, "Data": "", "PartitionKey": "k"}


def made(*shards: dict[str, Any]) -> dict[str, Any]:
    return {"stream": ARN, "state": state(*shards)}


def put(number: int, *records: dict[str, Any]) -> dict[str, Any]:
    return {"stream": ARN, "records": [[f"shardId-{number:012}", one] for one in records]}


def sequences(entries: list[dict[str, Any]]) -> dict[str, list[str]]:
    """The sequence numbers of each shard in kinesis-mock's file."""
    streams = kinesis_state(fold(entries, NOW))["streams"]
    shards = streams[ARN]["shards"] if ARN in streams else {}
    return {json.loads(key)["ShardId"]: [one["SequenceNumber"] for one in held] for key, held in shards.items()}


def test_records_stand_in_their_shards_by_sequence_number() -> None:
    """Numbers, not text: 9 is before 10."""
    entries = [made(shard(0), shard(1)), put(0, record(10)), put(1, record(3)), put(0, record(9))]
    assert sequences(entries) == {"shardId-000000000000": ["9", "10"], "shardId-000000000001": ["3"]}


def test_a_changed_stream_keeps_its_records() -> None:
    closed = shard(0, EndingSequenceNumber="5")
    entries = [made(shard(0)), put(0, record(4)), made(closed, shard(1)), put(1, record(6))]
    assert sequences(entries) == {"shardId-000000000000": ["4"], "shardId-000000000001": ["6"]}
    (stream,) = kinesis_state(fold(entries, NOW))["streams"].values()
    shards = [json.loads(key) for key in stream["shards"]]
    assert [one["SequenceNumberRange"]["EndingSequenceNumber"] for one in shards] == ["5", None]
    assert [one["ClosedTimestamp"] is None for one in shards] == [False, True]
    assert [one["ShardIndex"] for one in shards] == [0, 1]


def test_a_record_may_be_written_before_the_stream_that_it_is_in() -> None:
    assert sequences([put(0, record(4)), made(shard(0))]) == {"shardId-000000000000": ["4"]}


def test_a_deleted_stream_is_gone_with_its_records() -> None:
    deleted = [made(shard(0)), put(0, record(4)), {"stream": ARN, "state": None}]
    assert sequences(deleted) == {}
    assert sequences([*deleted, made(shard(0))]) == {"shardId-000000000000": []}


def test_records_past_retention_are_dropped() -> None:
    day = 24 * 3600
    entries = [made(shard(0)), put(0, record(1, NOW - day - 1), record(2, NOW - day + 1))]
    assert sequences(entries) == {"shardId-000000000000": ["2"]}


def test_a_torn_last_line_was_never_acknowledged() -> None:
    lines = [json.dumps(entry).encode() + b"\n" for entry in (made(shard(0)), put(0, record(1)))]
    assert list(read([*lines, lines[1][:20]])) == [json.loads(line) for line in lines]
    assert list(read([*lines, lines[1][:-1]])) == [json.loads(line) for line in lines]


def test_a_damaged_line_before_the_last_is_an_error_that_names_it() -> None:
    with pytest.raises(JournalError, match="Line 1 "):
        list(read([b'{"stream": \n', b"{}\n"]))


def test_taken_are_the_records_with_a_sequence_number() -> None:
    request = {"Records": [{"Data": b"a", "PartitionKey": "x"}, {"Data": b"b", "PartitionKey": "y"}]}
    throttled = {"ErrorCode": "ProvisionedThroughputExceededException", "ErrorMessage": "slower"}
    answer = {
        "FailedRecordCount": 1,
        "Records": [throttled, {"ShardId": "shardId-000000000000", "SequenceNumber": "7"}],
    }
    ((where, kept),) = taken(request, answer, NOW)
    assert where == "shardId-000000000000"
    assert (kept["Data"], kept["PartitionKey"], kept["SequenceNumber"]) == ("Yg==", "y", "7")
    assert kept["ApproximateArrivalTimestamp"] == NOW


def test_taken_is_the_one_record_of_a_put_record() -> None:
    answer = {"ShardId": "shardId-000000000000", "SequenceNumber": "7"}
    ((_, kept),) = taken({"Data": b"\x00", "PartitionKey": "x"}, answer, NOW)
    assert kept["Data"] == "AA=="


def test_a_journal_is_restored_and_goes_on_after_a_torn_line(tmp_path: Path) -> None:
    file, made_file = tmp_path / "a.journal", tmp_path / "a.json"
    at = datetime.now(UTC).timestamp()
    journal = Journal(file)
    journal.append(made(shard(0)))
    journal.append(put(0, record(1, at)))
    with file.open("ab") as torn:
        torn.write(b'{"stream": "arn')
    Journal(file).append(put(0, record(2, at)))
    restore(file, made_file)
    (held,) = json.loads(made_file.read_text())["streams"][ARN]["shards"].values()
    assert [one["SequenceNumber"] for one in held] == ["1", "2"]


def test_without_a_journal_there_are_no_streams(tmp_path: Path) -> None:
    restore(tmp_path / "none.journal", tmp_path / "a.json")
    assert json.loads((tmp_path / "a.json").read_text()) == {"streams": {}}
