"""The S3 sink: its configuration, in Confluent's property names (contract §5), and its state in Kafka Connect."""

import boto3
import requests
from botocore.exceptions import BotoCoreError, ClientError

from settings import Settings
from stack.errors import StackError
from stack.waiting import wait_until

NAME = "s3-sink"


class ConnectorError(StackError):
    """Kafka Connect refused the sink, or one of its tasks failed."""


def configuration(workers: Settings) -> dict[str, str]:
    """The sink's configuration. `workers` are the settings as Connect's workers see the world.

    It is the same for ours and for Confluent's but for `connector.class`: each passes over the other's own properties.
    """
    endpoint = workers.s3_endpoint_url
    elsewhere = {"store.url": endpoint, "s3.path.style.access.enabled": "true"} if endpoint else {}
    credentials = {name.replace("_", "."): value for name, value in workers.aws_credentials.items()}
    return {
        "connector.class": workers.sink_class,
        "tasks.max": "3",
        "topics.regex": rf"{workers.user_id}\..*",
        "s3.bucket.name": workers.bucket,
        "s3.region": workers.aws_region,
        "topics.dir": "topics",
        "flush.size": "1000",
        "rotate.interval.ms": str(workers.sink_rotate_interval_ms),
        # Confluent's ignores the line above with this partitioner, and would keep what no thousand records follow. With these two it goes by
        # the clock, and gives up writing each record once; ours does not.
        "rotate.schedule.interval.ms": str(workers.sink_rotate_interval_ms),
        "timezone": "UTC",
        "lake.check.interval.ms": "5000",  # ours alone
        "format.class": "io.confluent.connect.s3.format.json.JsonFormat",
        "partitioner.class": "io.confluent.connect.storage.partitioner.DefaultPartitioner",
        "storage.class": "io.confluent.connect.s3.storage.S3Storage",
        "schema.compatibility": "NONE",
        "behavior.on.null.values": "ignore",
        "key.converter": "org.apache.kafka.connect.storage.StringConverter",
        # Kafka's JsonConverter, but for what that one would alter: see its Javadoc.
        "value.converter": "pinterest.connect.json.StrictJsonConverter",
        "value.converter.schemas.enable": "false",
        # What is not JSON goes to a topic of its own, with the reason in its headers, and the task goes on.
        "errors.tolerance": "all",
        "errors.deadletterqueue.topic.name": workers.dead_letter_topic,
        "errors.deadletterqueue.topic.replication.factor": "1",
        "errors.deadletterqueue.context.headers.enable": "true",
        "errors.log.enable": "true",
        "consumer.override.auto.offset.reset": "earliest",
        # A worker that was killed is missed after 10 s; by default its partitions would rest for 45.
        "consumer.override.session.timeout.ms": "10000",
        "consumer.override.heartbeat.interval.ms": "3000",
        **elsewhere,
        **credentials,
    }


def deploy(settings: Settings, workers: Settings) -> None:
    """Give Connect the configuration and wait until every task runs. Raises `ConnectorError`."""
    url = f"{settings.connect_url}/connectors/{NAME}/config"
    try:
        answer = requests.put(url, json=configuration(workers), timeout=60)
    except requests.RequestException as error:
        raise ConnectorError(
            f"Kafka Connect does not answer at {settings.connect_url} ({error}). `make status` says more."
        ) from error
    if not answer.ok:
        raise ConnectorError(
            f"Kafka Connect refused the sink's configuration: {answer.json().get('message', answer.text)}"
        )
    wait_until(
        lambda: state(settings) == "RUNNING",
        60,
        lambda: ConnectorError(f"The S3 sink does not run: {state(settings)}. `make logs SERVICE=connect` says more."),
    )


def state(settings: Settings) -> str:
    """`RUNNING` if the connector and all of its tasks run, else what does not and why, in one line."""
    if not settings.connect_url:
        return _state_on_msk(settings)
    try:
        answer = requests.get(f"{settings.connect_url}/connectors/{NAME}/status", timeout=10)
    except requests.RequestException:
        return f"Kafka Connect does not answer at {settings.connect_url}"
    if answer.status_code == 404:
        return "not deployed: make up"
    status = answer.json()
    if not answer.ok or "connector" not in status:
        return str(status.get("message", answer.text))[:200]
    parts = [status["connector"], *status["tasks"]]
    if len(parts) == 1:
        return "no task yet"
    unwell = [part for part in parts if part["state"] != "RUNNING"]
    if not unwell:
        return "RUNNING"
    trace = unwell[0].get("trace", "").strip().splitlines()
    return f"{len(unwell)} of {len(parts)} parts {unwell[0]['state']}{': ' + trace[0][:200] if trace else ''}"


def _state_on_msk(settings: Settings) -> str:
    """What MSK Connect says, which has no address and is asked by AWS' API."""
    try:
        client = boto3.client("kafkaconnect", **settings.client_options("kafkaconnect"))
        found = client.list_connectors(connectorNamePrefix=settings.stack_name)["connectors"]
    except (BotoCoreError, ClientError) as error:
        return f"AWS does not say how MSK Connect is: {error}"
    states = {connector["connectorName"]: str(connector["connectorState"]) for connector in found}
    if not states:
        return "not deployed: make deploy"
    unwell = {name: state for name, state in states.items() if state != "RUNNING"}
    return ", ".join(f"{name} {state}" for name, state in unwell.items()) or "RUNNING"
