"""What the broker says of its topics."""

import asyncio
import concurrent.futures
import re
import time
from typing import TypeVar

from confluent_kafka import KafkaException, TopicCollection, TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # its stubs do not re-export them
    AdminClient,
    ConfigResource,
    OffsetSpec,
    ResourceType,
    TopicDescription,
)

from rest_proxy.errors import KafkaUnavailableError, PartitionNotFoundError, RestProxyError, TopicNotFoundError
from rest_proxy.kafka import UNKNOWN_TOPIC, classify_exception, client_options
from rest_proxy.settings import Settings

_T = TypeVar("_T")
_NAME = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9._-]{1,249}")


class Topics:
    """Metadata by the admin client, whose futures leave the event loop free.

    The calls raise `TopicNotFoundError`, `KafkaUnavailableError` when the broker does not answer within the metadata timeout, and what
    `classify` makes of any other error. Admin requests never create a topic, whatever the broker is set to.
    """

    def __init__(self, settings: Settings) -> None:
        # Quiet: the producer's connection reports the same troubles.
        self._admin = AdminClient(client_options(settings, log_level=2))
        self._timeout_s = settings.metadata_timeout_s
        self._ttl_s = settings.topic_ttl_s
        self._known: dict[str, tuple[int, float]] = {}
        self._asking: dict[str, asyncio.Task[TopicDescription]] = {}

    async def _answer(self, future: "concurrent.futures.Future[_T]") -> _T:
        try:
            # librdkafka keeps to the timeout that each request carries; the second more is for a client that hangs.
            return await asyncio.wait_for(asyncio.wrap_future(future), self._timeout_s + 1)
        except KafkaException as error:
            raise classify_exception(error) from error
        except TimeoutError as error:
            raise KafkaUnavailableError(f"Kafka did not answer within {self._timeout_s:g} s.") from error

    async def ping(self) -> None:
        """Whether a broker answers: one small request, whatever the number of topics."""
        await self._answer(self._admin.describe_cluster(request_timeout=self._timeout_s))

    async def names(self) -> list[str]:
        """All topics, sorted."""
        listing = asyncio.get_running_loop().run_in_executor(
            None, lambda: self._admin.list_topics(timeout=self._timeout_s)
        )
        try:
            return sorted((await listing).topics)
        except KafkaException as error:
            raise classify_exception(error) from error

    async def describe(self, topic: str) -> TopicDescription:
        """The topic as it is now. Requests for the same topic at the same time share one question to the broker."""
        if not _NAME.fullmatch(topic):
            raise TopicNotFoundError(topic)
        task = self._asking.get(topic)
        if task is None:
            task = self._asking[topic] = asyncio.create_task(self._describe(topic))
            task.add_done_callback(lambda _: self._asking.pop(topic))
        return await asyncio.shield(task)

    async def _describe(self, topic: str) -> TopicDescription:
        future = self._admin.describe_topics(TopicCollection([topic]), request_timeout=self._timeout_s)[topic]
        try:
            description: TopicDescription = await self._answer(future)
        except RestProxyError as error:
            cause = error.__cause__
            if isinstance(cause, KafkaException) and cause.args[0].code() in UNKNOWN_TOPIC:
                self.forget(topic)
                raise TopicNotFoundError(topic) from error
            raise
        self._known[topic] = (len(description.partitions), time.monotonic())
        return description

    def forget(self, topic: str) -> None:
        """Ask anew at the next request: a record for this topic was refused as unknown."""
        self._known.pop(topic, None)

    async def partition_count(self, topic: str, partition: int = 0) -> int:
        """How many partitions the topic has, from memory while that is fresh and knows of `partition`.

        While the broker is away, a topic that was known is still taken to exist: its records wait for the broker's return.
        """
        count, asked_at = self._known.get(topic, (0, float("-inf")))
        if partition < count and time.monotonic() - asked_at < self._ttl_s:
            return count
        try:
            return len((await self.describe(topic)).partitions)
        except KafkaUnavailableError:
            if partition < count:
                return count
            raise

    async def configs(self, topic: str) -> dict[str, str | None]:
        """The topic's settings by name."""
        resource = ConfigResource(ResourceType.TOPIC, topic)
        futures = self._admin.describe_configs([resource], request_timeout=self._timeout_s)
        return {name: entry.value for name, entry in (await self._answer(futures[resource])).items()}

    async def offsets(self, topic: str, partition: int) -> tuple[int, int]:
        """The first offset that is still there, and the one that the next record will get."""
        if partition >= await self.partition_count(topic, partition):
            raise PartitionNotFoundError(f"Partition not found: {topic} has no partition {partition}.")
        where = TopicPartition(topic, partition)
        first, end = (
            self._admin.list_offsets({where: spec}, request_timeout=self._timeout_s)[where]
            for spec in (OffsetSpec.earliest(), OffsetSpec.latest())  # type: ignore[no-untyped-call]
        )
        return (await self._answer(first)).offset, (await self._answer(end)).offset
