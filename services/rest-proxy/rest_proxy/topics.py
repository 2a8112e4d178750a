"""What the broker says of its topics."""

import asyncio
import concurrent.futures
import time
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple, TypeVar

from confluent_kafka import KafkaException, TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # its stubs do not re-export them
    AdminClient,
    ClusterMetadata,
    ConfigResource,
    OffsetSpec,
    ResourceType,
    TopicMetadata,
)

from rest_proxy.errors import KafkaUnavailableError, PartitionNotFoundError, RestProxyError, TopicNotFoundError
from rest_proxy.kafka import UNKNOWN_TOPIC, classify, classify_exception, client_options
from rest_proxy.settings import Settings

_T = TypeVar("_T")


class _Listing(NamedTuple):
    """What came of asking for all topics, and when it was asked for."""

    asked_at: float
    answer: ClusterMetadata | RestProxyError


class Topics:
    """The cluster's metadata: asked for as a whole, by one thread, one question at a time that all who wait share.

    A listing of all topics creates none, whatever the broker is set to; a question for one topic may. The admin client's
    `describe_topics` and `describe_cluster` would do without the thread, but librdkafka 2.16.0 once fell over an answer of theirs
    (`rd_kafka_admin_response_parse: Assertion 'rko_result' failed`, which ends the process) when a broker came back after a pause.

    The calls raise `TopicNotFoundError`, `KafkaUnavailableError` when the broker does not answer within the metadata timeout, and
    what `classify` makes of any other error.
    """

    def __init__(self, settings: Settings) -> None:
        # Quiet: the producer's connection reports the same troubles.
        self._admin = AdminClient(client_options(settings, log_level=2))
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="metadata")
        self._lock = asyncio.Lock()
        self._timeout_s = settings.metadata_timeout_s
        self._ttl_s = settings.topic_ttl_s
        self._last = _Listing(float("-inf"), KafkaUnavailableError("Kafka has not been asked yet."))
        self._known: dict[str, int] = {}
        self._known_at = float("-inf")

    async def _list(self) -> ClusterMetadata:
        """All topics as they are now: a listing that began before this call does not count."""
        called_at = time.monotonic()
        async with self._lock:
            if self._last.asked_at < called_at:
                asked_at = time.monotonic()
                listing = asyncio.get_running_loop().run_in_executor(self._thread, self._ask)
                # Shielded: if the client of this request is gone, others still wait for the answer.
                self._last = _Listing(asked_at, await asyncio.shield(listing))
                if isinstance(self._last.answer, ClusterMetadata):
                    self._known = {name: len(topic.partitions) for name, topic in self._last.answer.topics.items()}
                    self._known_at = asked_at
        if isinstance(self._last.answer, RestProxyError):
            raise self._last.answer
        return self._last.answer

    def _ask(self) -> ClusterMetadata | RestProxyError:
        try:
            listing = self._admin.list_topics(timeout=self._timeout_s)
        except KafkaException as error:
            return classify_exception(error)
        # A broker that has only just come back may know of nothing yet: that is no reason to call a topic unknown.
        return listing if listing.brokers else KafkaUnavailableError("Kafka answers, but none of its brokers is up.")

    async def ping(self) -> None:
        """Whether a broker answers."""
        await self._list()

    async def names(self) -> list[str]:
        """All topics, sorted."""
        return sorted((await self._list()).topics)

    async def describe(self, name: str) -> TopicMetadata:
        """The topic as it is now."""
        topic = (await self._list()).topics.get(name)
        if topic is None or (topic.error is not None and topic.error.code() in UNKNOWN_TOPIC):
            raise TopicNotFoundError(name)
        if topic.error is not None and not topic.partitions:
            raise classify(topic.error)
        return topic

    def forget(self, name: str) -> None:
        """Ask anew at the next request: a record for this topic was refused as unknown."""
        self._known.pop(name, None)

    async def partition_count(self, name: str, partition: int = 0) -> int:
        """How many partitions the topic has, from memory while that is fresh and knows of `partition`.

        While the broker is away, a topic that was known is still taken to exist: its records wait for the broker's return.
        """
        count = self._known.get(name, 0)
        if partition < count and time.monotonic() - self._known_at < self._ttl_s:
            return count
        try:
            return len((await self.describe(name)).partitions)
        except KafkaUnavailableError:
            if partition < count:
                return count
            raise

    async def _answer(self, future: "concurrent.futures.Future[_T]") -> _T:
        """An admin request's answer. librdkafka keeps to the timeout that each request carries."""
        try:
            return await asyncio.wrap_future(future)
        except KafkaException as error:
            raise classify_exception(error) from error

    async def configs(self, name: str) -> dict[str, str | None]:
        """The topic's settings by name."""
        resource = ConfigResource(ResourceType.TOPIC, name)
        futures = self._admin.describe_configs([resource], request_timeout=self._timeout_s)
        return {option: entry.value for option, entry in (await self._answer(futures[resource])).items()}

    async def offsets(self, name: str, partition: int) -> tuple[int, int]:
        """The first offset that is still there, and the one that the next record will get."""
        if partition >= await self.partition_count(name, partition):
            raise PartitionNotFoundError(f"Partition not found: {name} has no partition {partition}.")
        where = TopicPartition(name, partition)
        first, end = (
            self._admin.list_offsets({where: spec}, request_timeout=self._timeout_s)[where]
            for spec in (OffsetSpec.earliest(), OffsetSpec.latest())  # type: ignore[no-untyped-call]
        )
        return (await self._answer(first)).offset, (await self._answer(end)).offset
