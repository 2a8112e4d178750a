"""What Kafka Connect's workers keep of the sink: its configuration and its tasks', in a topic that can be written while no worker lives."""

import json
from collections.abc import Mapping
from typing import Any

from confluent_kafka import Consumer, KafkaError, Message, Producer, TopicPartition

from drills.errors import DrillError
from settings import Settings
from stack import connector

TOPIC = "_connect-configs"
"""`config.storage.topic` in services/connect. It has one partition, and the last record of a key counts."""

_PATIENCE = 30
"""Seconds."""


def change(settings: Settings, changes: Mapping[str, str]) -> None:
    """Write the configurations again with these changes, as the next worker shall find them. Raises `DrillError`."""
    kept = _kept(settings)
    tasks = [key for key in kept if key.startswith(f"task-{connector.NAME}-")]
    if f"connector-{connector.NAME}" not in kept or not tasks:
        raise DrillError(f"{TOPIC} holds no configuration of {connector.NAME}, but {', '.join(kept) or 'nothing'}.")
    producer = Producer(settings.kafka_options())
    for key in (f"connector-{connector.NAME}", *tasks):
        value = {"properties": kept[key]["properties"] | changes}
        producer.produce(TOPIC, json.dumps(value).encode(), key)
    # Workers take up tasks' configurations when a record says that they are complete.
    producer.produce(TOPIC, json.dumps({"tasks": len(tasks)}).encode(), f"commit-{connector.NAME}")
    if left := producer.flush(_PATIENCE):
        raise DrillError(f"{left} records could not be written to {TOPIC} within {_PATIENCE} s.")


def _kept(settings: Settings) -> dict[str, dict[str, Any]]:
    """Each key's last value."""
    consumer = Consumer(
        settings.kafka_options() | {"group.id": "drills", "enable.auto.commit": False, "enable.partition.eof": True}
    )
    kept: dict[str, dict[str, Any]] = {}
    try:
        consumer.assign([TopicPartition(TOPIC, 0, 0)])
        while (message := _next(consumer)) is not None:
            key, value = message.key(), message.value()
            if key and value:
                kept[key.decode()] = json.loads(value)
    finally:
        consumer.close()
    return kept


def _next(consumer: Consumer) -> Message | None:
    """The next record, or None at the end."""
    message = consumer.poll(_PATIENCE)
    if message is None:
        raise DrillError(f"{TOPIC} was not given within {_PATIENCE} s.")
    error = message.error()
    if error is None:
        return message
    if error.code() == KafkaError._PARTITION_EOF:
        return None
    raise DrillError(f"{TOPIC} cannot be read: {error}.")
