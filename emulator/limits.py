"""What one request to Kinesis may hold, by the limits of PutRecords. Pure."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from emulator.records import Record

MAX_RECORDS = 500
MAX_RECORD_BYTES = 1024 * 1024
"""Data and partition key. AWS lets a stream be set up for more; this much every stream takes."""
MAX_REQUEST_BYTES = 5 * 1024 * 1024
"""Of all its records, data and partition keys."""


class Plan(NamedTuple):
    """Records sorted into requests, each of at least one record, and what fits into none."""

    requests: list[list[Record]]
    refused: dict[str, int]
    """Sentence → number of records."""


def plan(stream: str, records: Sequence[Record], size_of: Callable[[Record], int]) -> Plan:
    """As few requests as the limits allow, in the records' order. `size_of` gives bytes.

    A record that is too large is sorted out here, for Kinesis would refuse the whole request because of it.
    """
    requests: list[list[Record]] = []
    refused: dict[str, int] = {}
    room = 0
    for record in records:
        size = size_of(record)
        if size > MAX_RECORD_BYTES:
            sentence = f"{stream}: post {record.index} was not sent: its {size:,} bytes exceed {MAX_RECORD_BYTES:,}."
            refused[sentence] = refused.get(sentence, 0) + 1
            continue
        if not requests or size > room or len(requests[-1]) == MAX_RECORDS:
            requests.append([])
            room = MAX_REQUEST_BYTES
        requests[-1].append(record)
        room -= size
    return Plan(requests, refused)
