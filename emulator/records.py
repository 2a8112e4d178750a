"""From table rows to the bodies that are sent (contract §2). Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

JSON = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Record:
    """One row on its way, and the index of the post that it belongs to."""

    index: int
    value: JSON


def record(index: int, row: Mapping[Any, Any]) -> Record:
    """The row as JSON can hold it: datetimes as ISO-8601, everything else as it is."""
    return Record(index, {name: v.isoformat() if isinstance(v, datetime) else v for name, v in row.items()})


def kafka_body(records: Sequence[Record]) -> JSON:
    """Keyed by index, so that one post's records share a partition (contract §6)."""
    return {"records": [{"key": one.index, "value": one.value} for one in records]}


def kinesis_body(stream: str, record: Record) -> JSON:
    """For `PUT …/record`."""
    return {"StreamName": stream, "Data": record.value, "PartitionKey": str(record.index)}


def kinesis_batch_body(records: Sequence[Record]) -> JSON:
    """For `PUT …/records`."""
    return {"records": [{"data": one.value, "partition-key": str(one.index)} for one in records]}
