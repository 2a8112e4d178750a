"""From table rows to the bodies that are sent (contract §2). Pure."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from mypy_boto3_kinesis.type_defs import PutRecordsRequestEntryTypeDef

JSON = dict[str, Any]

BodyForm = Literal["classic", "aws"]
"""How a batch for Kinesis is spelled in a request to the gateway, which reads both."""


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
    return {"StreamName": stream, "Data": record.value, "PartitionKey": _partition_key(record)}


def kinesis_batch_body(records: Sequence[Record], form: BodyForm = "classic") -> JSON:
    """For `PUT …/records` in the classic clients' spelling, or for `POST …/records` in Kinesis' own."""
    if form == "aws":
        return {"Records": [{"Data": one.value, "PartitionKey": _partition_key(one)} for one in records]}
    return {"records": [{"data": one.value, "partition-key": _partition_key(one)} for one in records]}


def kinesis_entry(record: Record) -> "PutRecordsRequestEntryTypeDef":
    """For the SDK, which encodes the bytes itself."""
    return {"Data": _data(record), "PartitionKey": _partition_key(record)}


def kinesis_entry_size(record: Record) -> int:
    """Bytes by which Kinesis measures what the SDK sends."""
    return len(_data(record)) + len(_partition_key(record))


def kinesis_gateway_size(record: Record) -> int:
    """Bytes by which Kinesis measures what the gateway hands on. LocalStack's writes the JSON anew, in ASCII: `\\u00e9`."""
    return len(json.dumps(record.value)) + len(_partition_key(record))


def _data(record: Record) -> bytes:
    return json.dumps(record.value, ensure_ascii=False).encode()


def _partition_key(record: Record) -> str:
    return str(record.index)
