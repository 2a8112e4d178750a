"""/topics: producing, and what there is."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
from confluent_kafka.admin import TopicMetadata  # type: ignore[attr-defined]
from fastapi import APIRouter, Request, Response

from rest_proxy.budget import RECORD_BYTES, Budget, read_body
from rest_proxy.errors import KafkaUnavailableError, PartitionNotFoundError
from rest_proxy.formats import ProduceRecord, decode_produce, encode
from rest_proxy.media import V2, produce_format
from rest_proxy.producer import Delivered, RecordProducer, refused
from rest_proxy.settings import Settings
from rest_proxy.topics import Topics

_SMALL = 64 * 1024
"""Up to this many bytes a body is handled on the loop (under a millisecond); a thread would cost more than it frees."""


class ProduceResponse(msgspec.Struct):
    """The answer to a produce request; the schema ids belong to formats that are not served."""

    offsets: list[Delivered]
    key_schema_id: int | None = None
    value_schema_id: int | None = None


def produce_status(results: list[Delivered]) -> int:
    """200, whatever became of the records, except that Kafka knows not the proxy (401) or forbids (403)."""
    for result in results:
        if result.error_code in (40101, 40301):
            return result.error_code // 100
    return 200


def answer(content: Any, status: int = 200) -> Response:
    """JSON, as Confluent types it."""
    return Response(msgspec.json.encode(content), status, media_type=V2)


def describe_partition(topic: TopicMetadata, number: int) -> dict[str, Any]:
    """One element of `partitions`. Raises `PartitionNotFoundError`."""
    partition = topic.partitions.get(number)
    if partition is None:
        raise PartitionNotFoundError(f"Partition not found: {topic.topic} has no partition {number}.")
    replicas = [
        {"broker": broker, "leader": broker == partition.leader, "in_sync": broker in partition.isrs}
        for broker in partition.replicas
    ]
    return {"partition": number, "leader": partition.leader, "replicas": replicas}


def describe_partitions(topic: TopicMetadata) -> list[dict[str, Any]]:
    """`partitions`, in the order of their numbers."""
    return [describe_partition(topic, number) for number in sorted(topic.partitions)]


def topic_routes(settings: Settings, topics: Topics, producer: RecordProducer, budget: Budget) -> APIRouter:
    """The routes, on these parts."""
    router = APIRouter(prefix="/topics")
    # Two: more would only hold more bodies in memory at once on a machine of few cores.
    large_bodies = ThreadPoolExecutor(2, thread_name_prefix="large-body")

    async def produce(request: Request, topic: str, partition: int | None) -> Response:
        fmt = produce_format(request.headers.get("content-type"))
        loop = asyncio.get_running_loop()
        with budget.lease() as lease:
            body = await read_body(request, lease, settings.max_body_bytes, settings.body_timeout_s)
            small = len(body) <= _SMALL
            limit = lease.room // RECORD_BYTES
            records = (
                decode_produce(body, limit)
                if small
                else await loop.run_in_executor(large_bodies, decode_produce, body, limit)
            )
            lease.add(len(records) * RECORD_BYTES)
            try:
                count = await topics.partition_count(topic, highest_partition(records, partition))
            except KafkaUnavailableError as error:
                return answer(ProduceResponse([refused(error)] * len(records)))
            if partition is not None and partition >= count:
                raise PartitionNotFoundError(f"Partition not found: {topic} has no partition {partition}.")

            def start() -> asyncio.Future[list[Delivered]]:
                return producer.start(topic, encode(records, fmt, partition), loop)

            results = await (start() if small else await loop.run_in_executor(large_bodies, start))
            return answer(ProduceResponse(results), produce_status(results))

    @router.post("/{topic}")
    async def produce_to_topic(request: Request, topic: str) -> Response:
        return await produce(request, topic, None)

    @router.post("/{topic}/partitions/{partition:int}")
    async def produce_to_partition(request: Request, topic: str, partition: int) -> Response:
        return await produce(request, topic, partition)

    @router.get("")
    async def list_topics() -> Response:
        return answer(await topics.names())

    @router.get("/{topic}")
    async def get_topic(topic: str) -> Response:
        description = await topics.describe(topic)
        partitions = describe_partitions(description)
        return answer({"name": topic, "configs": await topics.configs(topic), "partitions": partitions})

    @router.get("/{topic}/partitions")
    async def list_partitions(topic: str) -> Response:
        return answer(describe_partitions(await topics.describe(topic)))

    @router.get("/{topic}/partitions/{partition:int}")
    async def get_partition(topic: str, partition: int) -> Response:
        return answer(describe_partition(await topics.describe(topic), partition))

    @router.get("/{topic}/partitions/{partition:int}/offsets")
    async def get_offsets(topic: str, partition: int) -> Response:
        beginning, end = await topics.offsets(topic, partition)
        return answer({"beginning_offset": beginning, "end_offset": end})

    return router


def highest_partition(records: list[ProduceRecord], partition: int | None) -> int:
    """The highest partition that a request asks for: a topic known to have fewer may have grown."""
    return max((record.partition or 0 for record in records), default=0) if partition is None else partition
