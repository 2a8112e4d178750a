from datetime import datetime

from emulator.records import (
    Record,
    kafka_body,
    kinesis_batch_body,
    kinesis_body,
    kinesis_entry,
    kinesis_entry_size,
    kinesis_gateway_size,
    record,
)


def test_datetimes_are_iso_8601_and_the_rest_stays() -> None:
    row = {
        "ind": 3,
        "timestamp": datetime(2018, 1, 2, 3, 4, 5),
        "latitude": -89.9787,
        "country": "Réunion 🎄",
        "x": None,
    }
    assert record(3, row) == Record(3, {**row, "timestamp": "2018-01-02T03:04:05"})


def test_kafka_records_are_keyed_by_index() -> None:
    body = kafka_body([Record(3, {"ind": 3}), Record(4, {"ind": 4})])
    assert body == {"records": [{"key": 3, "value": {"ind": 3}}, {"key": 4, "value": {"ind": 4}}]}


def test_kinesis_bodies_are_the_contracts() -> None:
    three = Record(3, {"ind": 3})
    assert kinesis_body("s", three) == {"StreamName": "s", "Data": {"ind": 3}, "PartitionKey": "3"}
    assert kinesis_batch_body([three]) == {"records": [{"data": {"ind": 3}, "partition-key": "3"}]}
    assert kinesis_batch_body([three], "aws") == {"Records": [{"Data": {"ind": 3}, "PartitionKey": "3"}]}


def test_the_sdk_gets_the_row_as_bytes() -> None:
    entry = kinesis_entry(Record(3, {"t": "Réunion"}))
    assert entry == {"Data": '{"t": "Réunion"}'.encode(), "PartitionKey": "3"}


def test_sizes_are_of_what_kinesis_gets_with_its_key() -> None:
    accented = Record(10, {"t": "é"})
    assert kinesis_entry_size(accented) == len('{"t": "é"}'.encode()) + len("10") == 13
    assert kinesis_gateway_size(accented) == len('{"t": "\\u00e9"}') + len("10") == 17
