"""Consumer instances: a Kafka consumer each, driven over HTTP (Confluent REST Proxy v2, "Consumers")."""

import asyncio
import logging
import time
import uuid
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal, NamedTuple, TypeVar

import msgspec
from confluent_kafka import OFFSET_BEGINNING, OFFSET_END, Consumer, KafkaError, KafkaException, Message, TopicPartition

from rest_proxy.errors import (
    ConsumerExistsError,
    ConsumerNotFoundError,
    ConversionFailedError,
    IllegalStateError,
    InvalidConsumerConfigError,
    InvalidRequestError,
    RestProxyError,
    TooManyConsumersError,
)
from rest_proxy.formats import consumed
from rest_proxy.kafka import classify, classify_exception, client_options
from rest_proxy.media import Format
from rest_proxy.settings import Settings

_T = TypeVar("_T")
_log = logging.getLogger("rest_proxy.consumers")

BEGINNING, END = OFFSET_BEGINNING, OFFSET_END
_RESETS = {"earliest": "earliest", "latest": "latest", "none": "error"}
_BOOLEANS = {"true": True, "false": False, True: True, False: False}
_NO_ANSWER_S = 10.0
"""How long a commit or a look at committed offsets may wait for the group's coordinator."""


class CreateRequest(msgspec.Struct, forbid_unknown_fields=True):
    """The body of POST /consumers/{group}; `id` is Confluent's older word for `name`."""

    id: str | None = None
    name: str | None = None
    format: str = "binary"
    auto_offset_reset: str = msgspec.field(name="auto.offset.reset", default="latest")
    auto_commit_enable: str | bool = msgspec.field(name="auto.commit.enable", default=True)
    fetch_min_bytes: int = msgspec.field(name="fetch.min.bytes", default=-1)
    request_timeout_ms: int | None = msgspec.field(name="consumer.request.timeout.ms", default=None)


class ConsumerConfig(NamedTuple):
    """A checked `CreateRequest`."""

    name: str
    format: Format
    auto_offset_reset: str
    auto_commit: bool
    fetch_min_bytes: int
    request_timeout_ms: int | None


def check_config(request: CreateRequest) -> ConsumerConfig:
    """Raises `InvalidConsumerConfigError` for a setting that a consumer cannot have."""
    name = request.id or request.name or f"rest-consumer-{uuid.uuid4()}"
    if "/" in name or not name.isprintable() or len(name) > 255:
        raise InvalidConsumerConfigError("The name must be part of a URL: up to 255 printable characters without '/'.")
    if request.format not in set(Format):
        raise InvalidConsumerConfigError(f"The format is {request.format[:40]!r}; expected json or binary.")
    if request.auto_offset_reset not in _RESETS:
        raise InvalidConsumerConfigError(
            f"auto.offset.reset is {request.auto_offset_reset[:40]!r}; expected {', '.join(_RESETS)}."
        )
    if request.auto_commit_enable not in _BOOLEANS:
        raise InvalidConsumerConfigError(
            f"auto.commit.enable is {str(request.auto_commit_enable)[:40]!r}; expected true or false."
        )
    return ConsumerConfig(
        name,
        Format(request.format),
        _RESETS[request.auto_offset_reset],
        _BOOLEANS[request.auto_commit_enable],
        request.fetch_min_bytes,
        request.request_timeout_ms,
    )


class Position(NamedTuple):
    """An offset of a partition."""

    topic: str
    partition: int
    offset: int


class ConsumerInstance:
    """One consumer. All of its calls run in its own thread, one after the other, as librdkafka and readers expect."""

    def __init__(self, group: str, config: ConsumerConfig, settings: Settings) -> None:
        self.group = group
        self.config = config
        self._settings = settings
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="consumer")
        self._calls = 0
        self._last_call = time.monotonic()
        self._mode: Literal["idle", "subscribed", "assigned"] = "idle"
        self._topics: list[str] = []
        # Read from Kafka but not yet by the client: it did not fit into the last answer, or is not of the format.
        self._held: Message | None = None
        # Where to read on in partitions that have been moved and not been read from since.
        self._moved: dict[tuple[str, int], int] = {}

    def idle_s(self) -> float:
        """Seconds since the last call ended; 0 while one is under way."""
        return 0.0 if self._calls else time.monotonic() - self._last_call

    async def call(self, function: Callable[..., _T], *args: Any) -> _T:
        """Run one of the methods below in the instance's thread. Raises what Kafka says, classified."""
        self._calls += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, function, *args)
        except KafkaException as error:
            raise classify_exception(error) from error
        finally:
            self._calls -= 1
            self._last_call = time.monotonic()

    # What follows blocks, and is reached through `call` only.

    def open(self) -> None:
        settings = self._settings
        self._consumer = Consumer(
            client_options(
                settings,
                **{
                    "group.id": self.group,
                    "auto.offset.reset": self.config.auto_offset_reset,
                    "enable.auto.commit": self.config.auto_commit,
                    # Only what a reader was given counts as read.
                    "enable.auto.offset.store": False,
                    # An instance that nobody reads expires here; Kafka must not throw it out of its group before.
                    "max.poll.interval.ms": int(settings.consumer_idle_s * 1000) + 60_000,
                    "session.timeout.ms": 45_000,
                    # One batch a partition at a time: it is unpacked at once, and compressed rows can grow thirty-fold.
                    "fetch.message.max.bytes": 16 * 1024,
                    "fetch.max.bytes": settings.max_body_bytes,
                    "message.max.bytes": settings.max_body_bytes,
                    "queued.max.messages.kbytes": 1024,
                    "queued.min.messages": 100,
                    # Else a reader that has emptied the queue would wait for a second.
                    "fetch.queue.backoff.ms": 50,
                },
            )
        )

    def close(self) -> None:
        self._consumer.close()

    def subscribe(self, topics: list[str] | None, pattern: str | None) -> None:
        if (topics is None) == (pattern is None):
            raise InvalidRequestError(
                "A subscription names either topics or a topic_pattern; expected exactly one of them."
            )
        if self._mode == "assigned":
            raise IllegalStateError(
                "Illegal state: this consumer has partitions assigned by hand; it cannot subscribe as well."
            )
        # librdkafka takes what begins with ^ as a pattern; Java's patterns, and so Confluent's, match whole names.
        wanted = topics if topics is not None else [f"^({pattern})$"]
        if not wanted or not all(wanted):
            raise InvalidRequestError("The subscription is empty; expected at least one topic.")
        try:
            self._consumer.subscribe(wanted, on_assign=self._assigned, on_revoke=self._revoked, on_lost=self._revoked)
        except KafkaException as error:
            if error.args[0].code() != KafkaError._INVALID_ARG:
                raise
            raise InvalidRequestError("Kafka cannot make a subscription of these topics or this pattern.") from error
        self._mode, self._topics = "subscribed", topics or []

    def unsubscribe(self) -> None:
        if self._mode == "assigned":
            self._consumer.unassign()
        else:
            self._consumer.unsubscribe()
        self._mode, self._topics = "idle", []
        self._drop(None)

    def subscription(self) -> list[str]:
        """The topics subscribed to; with a pattern those that it has brought so far."""
        if self._topics or self._mode != "subscribed":
            return sorted(self._topics)
        return sorted({place.topic for place in self._consumer.assignment()})

    def assign(self, partitions: list[tuple[str, int]]) -> None:
        if self._mode == "subscribed":
            raise IllegalStateError(
                "Illegal state: this consumer has a subscription; it cannot have partitions assigned as well."
            )
        self._drop(None)
        self._consumer.assign([TopicPartition(topic, partition) for topic, partition in partitions])
        self._mode = "assigned"

    def assignment(self) -> list[tuple[str, int]]:
        return sorted((place.topic, place.partition) for place in self._consumer.assignment())

    def move(self, positions: list[Position]) -> None:
        """Read on elsewhere.

        librdkafka's `seek` fails on a partition until its first fetch is under way, so the assignment is made anew, from the new positions.
        """
        assigned = self.assignment()
        for position in positions:
            if (position.topic, position.partition) not in assigned:
                raise IllegalStateError(
                    f"Illegal state: no current assignment for partition {position.partition} of {position.topic}; "
                    "assign it, or read once after subscribing."
                )
        self._drop([(position.topic, position.partition) for position in positions])
        self._moved |= {(topic, partition): offset for topic, partition, offset in positions}
        places = [TopicPartition(topic, partition) for topic, partition in assigned]
        self._consumer.assign(
            [
                TopicPartition(
                    place.topic, place.partition, self._moved.get((place.topic, place.partition), place.offset)
                )
                for place in self._consumer.position(places)
            ]
        )

    def read(self, timeout_ms: int, max_bytes: int) -> list[bytes]:
        """Collect records, each as JSON, until the time is up, the bytes are full, or `fetch.min.bytes` are there.

        The first record is returned even if it alone exceeds the bytes (Confluent's proxy would return none, for ever). A record that is
        not of the instance's format ends the answer before it, and is an error (`ConversionFailedError`) when it comes first.
        """
        if self._mode == "idle":
            raise IllegalStateError(
                "Illegal state: this consumer is not subscribed to any topics or assigned any partitions."
            )
        deadline = time.monotonic() + timeout_ms / 1000
        enough = self.config.fetch_min_bytes if self.config.fetch_min_bytes >= 0 else max_bytes
        answer: list[bytes] = []
        size = 0
        while True:
            message = self._next(deadline)
            if message is None:
                return answer
            key, value = message.key(), message.value()
            size += len(key or b"") + len(value or b"")
            if answer and size > max_bytes:
                return answer
            try:
                answer.append(self._encode(message, key, value))
            except ConversionFailedError:
                if answer:
                    return answer
                raise
            self._held = None
            self._moved.pop((message.topic() or "", message.partition() or 0), None)
            self._consumer.store_offsets(message)
            if size >= enough:
                deadline = 0  # what is at hand may still come along

    def _encode(self, message: Message, key: Any, value: Any) -> bytes:
        return consumed(
            message.topic() or "", message.partition() or 0, message.offset() or 0, key, value, self.config.format
        )

    def _next(self, deadline: float) -> Message | None:
        while self._held is None:
            message = self._consumer.poll(max(0.0, deadline - time.monotonic()))
            if message is None:
                return None
            error = message.error()
            if error is None:
                self._held = message
            elif (failure := classify(error)).code != 50003:
                raise failure
        return self._held

    def _assigned(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """Kafka's own choice of partitions is taken as it is."""

    def _revoked(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._drop([(place.topic, place.partition) for place in partitions])

    def _drop(self, partitions: Iterable[tuple[str, int]] | None) -> None:
        """Forget what is known of these partitions, or of all."""
        gone = set(self._moved if partitions is None else partitions)
        for partition in gone:
            self._moved.pop(partition, None)
        if self._held is not None and (partitions is None or (self._held.topic(), self._held.partition()) in gone):
            self._held = None

    def commit(self, positions: list[Position] | None) -> None:
        """Commit the offsets after the given ones (Confluent adds one, too), or after all that has been read."""
        try:
            if positions is None:
                self._consumer.commit(asynchronous=False)
            else:
                offsets = [TopicPartition(topic, partition, offset + 1) for topic, partition, offset in positions]
                for place in self._consumer.commit(offsets=offsets, asynchronous=False) or []:
                    if place.error is not None:
                        raise KafkaException(place.error)
        except KafkaException as error:
            if error.args[0].code() != KafkaError._NO_OFFSET:  # nothing has been read since the last commit
                raise

    def committed(self, partitions: list[tuple[str, int]]) -> list[TopicPartition]:
        """The group's committed offsets, of those partitions that have one."""
        places = [TopicPartition(topic, partition) for topic, partition in partitions]
        found = self._consumer.committed(places, timeout=_NO_ANSWER_S)
        for place in found:
            if place.error is not None:
                raise KafkaException(place.error)
        return [place for place in found if place.offset >= 0]


class Consumers:
    """The instances, by group and name. Belongs to the event loop."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._instances: dict[tuple[str, str], ConsumerInstance] = {}
        self._closing: set[asyncio.Task[None]] = set()

    async def create(self, group: str, config: ConsumerConfig) -> ConsumerInstance:
        """Raises `ConsumerExistsError`, `TooManyConsumersError`, or `InvalidConsumerConfigError` for what librdkafka refuses."""
        key = (group, config.name)
        if key in self._instances:
            raise ConsumerExistsError(
                f"Consumer {config.name!r} exists already in group {group!r}; delete it, or take another name."
            )
        if len(self._instances) + len(self._closing) >= self._settings.max_consumers:
            raise TooManyConsumersError(
                f"All {self._settings.max_consumers} consumer instances are in use; delete one."
            )
        instance = self._instances[key] = ConsumerInstance(group, config, self._settings)
        try:
            await instance.call(instance.open)
        except RestProxyError as error:
            del self._instances[key]
            raise InvalidConsumerConfigError(f"Invalid consumer configuration: {error.message}") from error
        return instance

    def get(self, group: str, name: str) -> ConsumerInstance:
        """Raises `ConsumerNotFoundError`."""
        instance = self._instances.get((group, name))
        if instance is None:
            raise ConsumerNotFoundError
        return instance

    async def delete(self, group: str, name: str) -> None:
        """Leave the group and forget the instance. Raises `ConsumerNotFoundError`."""
        await self._close(self.get(group, name))

    def _close(self, instance: ConsumerInstance) -> "asyncio.Future[None]":
        """The name is free at once; the place only when the consumer has left its group."""
        del self._instances[instance.group, instance.config.name]
        task = asyncio.create_task(instance.call(instance.close))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)
        return asyncio.shield(task)

    async def expire(self) -> None:
        """Delete idle instances, for ever."""
        while True:
            await asyncio.sleep(min(1.0, self._settings.consumer_idle_s / 4))
            for instance in list(self._instances.values()):
                if instance.idle_s() > self._settings.consumer_idle_s:
                    _log.info(
                        "Consumer %s of group %s was idle for too long and is deleted.",
                        instance.config.name,
                        instance.group,
                    )
                    self._close(instance)

    async def close(self) -> None:
        """Leave all groups."""
        for instance in list(self._instances.values()):
            self._close(instance)
        await asyncio.gather(*self._closing, return_exceptions=True)
