"""What the broker holds."""

from confluent_kafka import KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]

from settings import FRAMES, Settings
from stack.errors import DataError

Partition = tuple[str, int]
"""A topic's name and a partition's number."""


def end_offsets(settings: Settings) -> dict[Partition, int]:
    """The offset after the last record of each partition of the user's topics. Raises `DataError`."""
    admin = AdminClient(settings.kafka_options() | {"log_level": 0})
    wanted = {settings.topic(frame) for frame in FRAMES}
    try:
        topics = {name: topic for name, topic in admin.list_topics(timeout=10).topics.items() if name in wanted}
        partitions = [TopicPartition(name, number) for name, topic in topics.items() for number in topic.partitions]
        if not partitions:
            raise DataError(f"The broker has none of the topics {', '.join(sorted(wanted))}. `make up` makes them.")
        latest = OffsetSpec.latest()  # type: ignore[no-untyped-call]
        futures = admin.list_offsets(dict.fromkeys(partitions, latest), request_timeout=10)
        return {
            (partition.topic, partition.partition): future.result().offset
            for partition, future in sorted(futures.items())
        }
    except KafkaException as error:
        raise DataError(
            f"Kafka at {settings.kafka_bootstrap_servers} does not answer ({error}). `make status` says more."
        ) from error
