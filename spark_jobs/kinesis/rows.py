"""Rows of Kinesis records: the columns, and the records within records that Amazon's producer library (KPL) makes."""

import hashlib
from collections.abc import Sequence

import pyarrow as pa

from spark_jobs.kinesis.api import Record

SCHEMA = (
    "partitionKey string, data binary, stream string, shardId string, sequenceNumber string, "
    "approximateArrivalTimestamp timestamp, subSequenceNumber int"
)
"""Databricks' columns, and one of ours: the place of a record within its aggregate, else 0."""

MAGIC = b"\xf3\x89\x9a\xc2"
"""Every aggregate begins with this."""

_DIGEST_SIZE = 16
_ARROW = pa.schema(
    [
        ("partitionKey", pa.string()),
        ("data", pa.binary()),
        ("stream", pa.string()),
        ("shardId", pa.string()),
        ("sequenceNumber", pa.string()),
        ("approximateArrivalTimestamp", pa.timestamp("us", tz="UTC")),
        ("subSequenceNumber", pa.int32()),
    ]
)


def to_rows(stream: str, records: Sequence[Record]) -> pa.RecordBatch:
    """The records as rows of SCHEMA, aggregates taken apart."""
    parts = [
        (record, key, data, number)
        for record in records
        for number, (key, data) in enumerate(deaggregate(record.key, record.data))
    ]
    return pa.RecordBatch.from_arrays(
        [
            pa.array([key for _, key, _, _ in parts], pa.string()),
            pa.array([data for _, _, data, _ in parts], pa.binary()),
            pa.array([stream] * len(parts), pa.string()),
            pa.array([record.shard for record, _, _, _ in parts], pa.string()),
            pa.array([record.sequence for record, _, _, _ in parts], pa.string()),
            pa.array([record.arrival * 1000 for record, _, _, _ in parts], pa.timestamp("us", tz="UTC")),
            pa.array([number for _, _, _, number in parts], pa.int32()),
        ],
        schema=_ARROW,
    )


def deaggregate(key: str, data: bytes) -> list[tuple[str, bytes]]:
    """The keys and data within an aggregate, or the record itself if it is none. An aggregate that is corrupt, or empty, stays one record."""
    if not data.startswith(MAGIC) or len(data) <= len(MAGIC) + _DIGEST_SIZE:
        return [(key, data)]
    body, digest = data[len(MAGIC) : -_DIGEST_SIZE], data[-_DIGEST_SIZE:]
    if hashlib.md5(body, usedforsecurity=False).digest() != digest:
        return [(key, data)]
    # Imported only here, as importing it puts two folders at the front of sys.path. Of the library we take what it knows of the format; its own
    # loop drops the rest of an aggregate in which one index is wrong, and prints the data.
    from aws_kinesis_agg.deaggregator import messages_pb2
    from google.protobuf.message import DecodeError

    aggregate = messages_pb2.AggregatedRecord()
    try:
        aggregate.ParseFromString(body)
    except DecodeError:
        return [(key, data)]
    keys, parts = list(aggregate.partition_key_table), list(aggregate.records)
    if not parts or any(part.partition_key_index >= len(keys) for part in parts):
        return [(key, data)]
    return [(keys[part.partition_key_index], part.data) for part in parts]
