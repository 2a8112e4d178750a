"""Columns, and records within records."""

import hashlib

import pytest
from aws_kinesis_agg.aggregator import RecordAggregator

from spark_jobs.kinesis.api import Record
from spark_jobs.kinesis.rows import MAGIC, deaggregate, to_rows


def aggregate(*records):
    made = RecordAggregator()
    for key, data in records:
        assert made.add_user_record(key, data) is None
    return made.clear_and_get().get_contents()[2]


def signed(body):
    return MAGIC + body + hashlib.md5(body).digest()


PARTS = [("a", b"one"), ("b", b"\xff\x00"), ("a", b"")]


def test_an_aggregate_is_taken_apart():
    assert deaggregate("outer", aggregate(*PARTS)) == PARTS


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        MAGIC,
        MAGIC + b"x" * 16,
        aggregate(*PARTS)[:-1] + b"?",  # its checksum is wrong
        signed(b"\xff\xff\xff"),  # it is no message
        signed(b""),  # it holds nothing
        signed(
            b"\x0a\x01a\x1a\x05\x08\x00\x1a\x01x" + b"\x1a\x05\x08\x07\x1a\x01y"
        ),  # its second record has the eighth key of one
        signed(b"\x0a\x01a\x1a\x0e\x08" + b"\xff" * 9 + b"\x01\x1a\x01y"),  # an index beyond any list
    ],
)
def test_what_is_no_aggregate_stays_whole(data):
    assert deaggregate("outer", data) == [("outer", data)]


def test_columns():
    records = [
        Record("shardId-000000000000", "495", "outer", aggregate(*PARTS), 1_700_000_000_123),
        Record("shardId-000000000001", "496", "key", b"plain", 1_700_000_000_124),
    ]
    batch = to_rows("posts", records)
    assert str(batch.schema.field("approximateArrivalTimestamp").type) == "timestamp[us, tz=UTC]"
    rows = batch.to_pylist()
    assert [(row["partitionKey"], row["data"]) for row in rows] == [*PARTS, ("key", b"plain")]
    assert [row["subSequenceNumber"] for row in rows] == [0, 1, 2, 0]
    assert [row["sequenceNumber"] for row in rows] == ["495"] * 3 + ["496"]
    assert [row["shardId"][-1] for row in rows] == ["0", "0", "0", "1"]
    assert {row["stream"] for row in rows} == {"posts"}
    assert rows[0]["approximateArrivalTimestamp"].isoformat() == "2023-11-14T22:13:20.123000+00:00"
