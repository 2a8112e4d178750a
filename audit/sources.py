"""Where the books are read: each place itself, never what the pipeline counts of itself."""

import json
import re
import time
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from audit.books import Books
from audit.errors import BrokerError, LakeError
from emulator.ledger import Acknowledgement, KafkaAcknowledgement, KinesisAcknowledgement, read_ledger
from settings import FRAMES, Frame, Settings
from stack import lake

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

BATCH = 20_000
"""Rows that are in memory at a time."""

_PATIENCE = 30
"""Seconds in which the broker must say something."""

_PLACE = ("topic", "partition", "offset")
_INTEGER = re.compile(r"-?[0-9]+")

Columns = Mapping[str, list[Any]]
T = TypeVar("T")


def read_everything(books: Books, settings: Settings, ledger: Path) -> None:
    """Fill the books.

    Downstream first: what comes in meanwhile then waits at a later hop, and nothing seems to be in a table that came from nowhere.
    Raises `AuditError`, the ledger's `LedgerError`, or `DataError` where a table cannot be read.
    """
    # The ledger before all: what is acknowledged from now on is not asked for.
    books.enter("acknowledged", _acknowledged(ledger, KafkaAcknowledgement, ("frame", "topic", "partition", "offset")))
    books.enter(
        "stream_acknowledged", _acknowledged(ledger, KinesisAcknowledgement, ("frame", "stream", "shard", "sequence"))
    )
    _tables(books, settings)
    _objects(books, settings)
    _broker(books, settings)


def _acknowledged(ledger: Path, kind: type[Acknowledgement], names: tuple[str, ...]) -> Iterator[Columns]:
    for batch in _batches(entry for entry in read_ledger(ledger) if isinstance(entry, kind)):
        yield {"ind": [entry.index for entry in batch]} | {
            name: [getattr(entry, name) for entry in batch] for name in names
        }


def _tables(books: Books, settings: Settings) -> None:
    def enter(name: str, path: str, columns: str, also: str = "") -> None:
        if table := lake.table(settings, path):
            books.enter_arrow(name, lake.stream(table, columns), f"*{also}")

    for frame in FRAMES:
        ours = f", '{frame}' as frame"
        enter("rows", f"batch/{frame}", 'ind, source_partition as "partition", source_offset as "offset"', ours)
        place = "source_shard as shard, source_sequence as sequence, source_subsequence as subsequence"
        enter("stream_rows", f"streaming/{settings.table(frame)}", f"ind, {place}", ours)
    enter("quarantine", "batch/quarantine", 'frame, topic, "partition", "offset"')
    enter("stream_quarantine", "streaming/quarantine", "frame, stream, shard, sequence, subsequence")


def _objects(books: Books, settings: Settings) -> None:
    frames = {settings.topic(frame): frame for frame in FRAMES}
    s3 = lake.client(settings)

    def read(key: str) -> tuple[Columns, Columns] | None:
        name = lake.OBJECT_NAME.match(key)
        if not name or name["topic"] not in frames:
            return None
        answer = s3.get_object(Bucket=settings.bucket, Key=key)
        frame, first = frames[name["topic"]], int(name["start"])
        inds = [post_of(line.rstrip(b"\n"), frame) for line in answer["Body"].iter_lines(keepends=True)]
        place: dict[str, Any] = {"topic": name["topic"], "partition": int(name["partition"])}
        said = {f"said_{end}": _number(answer["Metadata"].get(f"{end}-offset")) for end in ("first", "last")}
        an_object = {"key": key, "first_offset": first, "lines": len(inds)} | place | said
        each = {name: [value] * len(inds) for name, value in (place | {"frame": frame}).items()}
        lines: Columns = {"ind": inds, "offset": list(range(first, first + len(inds))), **each}
        return {name: [value] for name, value in an_object.items()}, lines

    try:
        with ThreadPoolExecutor(4) as readers:
            # A few at a time, for a queue of all their contents would not fit into memory.
            for keys in _batches(_keys(s3, settings), 200):
                found = list(readers.map(read, keys))
                books.enter("strangers", [{"key": [key for key, one in zip(keys, found, strict=True) if one is None]}])
                books.enter("objects", (one[0] for one in found if one))
                books.enter("lines", (one[1] for one in found if one))
    except (BotoCoreError, ClientError) as error:
        raise LakeError(
            f"The objects of s3://{settings.bucket} cannot be read: {error}. `make status` says more."
        ) from error


def _keys(s3: "S3Client", settings: Settings) -> Iterator[str]:
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=settings.bucket, Prefix="topics/"):
        yield from (item["Key"] for item in page.get("Contents", []))


def post_of(line: bytes, frame: Frame) -> int | None:
    """The post that a record of this frame tells of; None where it names none that a table could hold."""
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return None
    ind = record.get("index" if frame == "pin" else "ind") if isinstance(record, dict) else None
    if isinstance(ind, str) and _INTEGER.fullmatch(ind):
        ind = int(ind) if len(ind) <= 20 else None
    if isinstance(ind, int) and not isinstance(ind, bool) and -(2**31) <= ind < 2**31:
        return ind
    return None


def _broker(books: Books, settings: Settings) -> None:
    frames = {settings.topic(frame): frame for frame in FRAMES}
    # What rdkafka has to say is raised; it would print it as well.
    consumer = Consumer(
        settings.kafka_options()
        | {
            "group.id": "audit",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "log_level": 0,
        }
    )
    try:
        first = _first_offsets(consumer, [*frames, settings.dead_letter_topic])
        ours = [place for place in first if place.topic in frames]
        books.enter(
            "partitions",
            [
                {
                    "topic": [place.topic for place in ours],
                    "partition": [place.partition for place in ours],
                    "first_offset": [place.offset for place in ours],
                }
            ],
        )
        for messages in _messages(consumer, first):
            books.enter("records", [_records([one for one in messages if one.topic() in frames])])
            books.enter("dead_letters", [_dead_letters([one for one in messages if one.topic() not in frames])])
    except KafkaException as error:
        raise BrokerError(
            f"Kafka at {settings.kafka_bootstrap_servers} cannot be read ({error}). `make status` says more."
        ) from error
    finally:
        consumer.close()


def _first_offsets(consumer: Consumer, topics: list[str]) -> list[TopicPartition]:
    there = consumer.list_topics(timeout=_PATIENCE).topics
    places = [TopicPartition(name, number) for name in topics if name in there for number in there[name].partitions]
    for place in places:
        place.offset, _ = consumer.get_watermark_offsets(place, timeout=_PATIENCE)
    return places


def _messages(consumer: Consumer, places: list[TopicPartition]) -> Iterator[list[Message]]:
    """Everything from these offsets to the ends that the partitions have when they are reached."""
    consumer.assign(places)
    unread, heard = {(place.topic, place.partition) for place in places}, time.monotonic()
    while unread:
        messages = []
        for message in consumer.consume(BATCH, timeout=1):
            heard = time.monotonic()
            if (error := message.error()) is None:
                messages.append(message)
            elif error.code() == KafkaError._PARTITION_EOF:
                unread.discard((message.topic(), message.partition()))
            else:
                raise KafkaException(error)
        if time.monotonic() - heard > _PATIENCE:
            raise BrokerError(f"Kafka has said nothing for {_PATIENCE} s, and {len(unread)} partitions are not read.")
        yield messages


def _records(messages: list[Message]) -> Columns:
    return {
        "topic": [one.topic() for one in messages],
        "partition": [one.partition() for one in messages],
        "offset": [one.offset() for one in messages],
        "tombstone": [one.value() is None for one in messages],
    }


def _dead_letters(messages: list[Message]) -> Columns:
    """By where they came from, as Connect's headers say."""
    headers = [dict(one.headers() or []) for one in messages]
    place = {name: [str(_text(one.get(f"__connect.errors.{name}"))) for one in headers] for name in _PLACE}
    return place | {name: [_number(text) for text in place[name]] for name in ("partition", "offset")}


def _text(value: bytes | str | None) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else value or ""


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isdecimal() else None


def _batches(items: Iterable[T], size: int = BATCH) -> Iterator[list[T]]:
    items = iter(items)
    while batch := list(islice(items, size)):
        yield batch
