"""The streaming path without the gateway: straight to Kinesis, as producers on AWS send."""

import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ConnectionClosedError, ConnectionError, HTTPClientError

from emulator.errors import SinkError, UnavailableError
from emulator.http import TIMEOUT, reason
from emulator.limits import Plan, plan
from emulator.records import JSON, Record, kinesis_entry, kinesis_entry_size
from emulator.sinks import RETRIABLE_KINESIS_ERRORS, Outcome, kinesis_outcome
from settings import FRAMES, Frame, Settings

if TYPE_CHECKING:
    from mypy_boto3_kinesis import KinesisClient

T = TypeVar("T")


def kinesis_client(settings: Settings, workers: int) -> "KinesisClient":
    """One client for so many threads. Raises `SinkError` if the settings make none."""
    options = settings.client_options("kinesis")
    local = (options["endpoint_url"] or "").startswith("http:")
    config = Config(
        # One attempt: an outage that the SDK sat out by itself would be neither told nor stopped by Ctrl-C.
        retries={"total_max_attempts": 1, "mode": "standard"},
        connect_timeout=TIMEOUT[0],
        read_timeout=TIMEOUT[1],
        max_pool_connections=workers,
        # As in `Http`: the local stack, without TLS, is never behind a proxy that the environment names.
        proxies={} if local else None,
    )
    try:
        client: KinesisClient = boto3.client("kinesis", config=config, **options)
    except (BotoCoreError, ValueError) as error:
        raise SinkError(f"The SDK cannot reach Kinesis: {error}.") from error
    return client


class KinesisSdkSink:
    """The streaming path by PutRecord and PutRecords; safe to share between threads, as its client is."""

    name = "Kinesis"

    def __init__(self, settings: Settings, client: "KinesisClient", clock: Callable[[], float] = time.time) -> None:
        self._settings = settings
        self._client = client
        self._clock = clock

    def check(self) -> None:
        for frame in FRAMES:
            stream = self._settings.stream(frame)
            try:
                self._ask(stream, partial(self._client.describe_stream_summary, StreamName=stream))
            except UnavailableError as error:
                raise SinkError(f"{error}: is the stack up? `make status` says, `make up` starts it.") from error
            except ClientError as error:
                raise SinkError(f"{stream}: {error}") from error

    def plan(self, frame: Frame, records: Sequence[Record]) -> Plan:
        return plan(self._settings.stream(frame), records, kinesis_entry_size)

    def send(self, frame: Frame, records: Sequence[Record]) -> Outcome:
        """PutRecord for one record, else PutRecords."""
        stream = self._settings.stream(frame)
        one = len(records) == 1
        try:
            entries = self._ask(
                stream, lambda: self._put(stream, records[0]) if one else self._put_all(stream, records)
            )
        except ClientError as error:
            return Outcome(refused={f"{stream}: {error}": len(records)})
        at = self._clock()
        request = f"{'PutRecord' if one else 'PutRecords'} to {stream}"
        if len(entries) != len(records):
            return Outcome(refused={f"{request} was answered for {len(entries)} records.": len(records)})
        return kinesis_outcome(request, stream, frame, records, entries, at)

    def _put(self, stream: str, record: Record) -> list[JSON]:
        return [dict(self._client.put_record(StreamName=stream, **kinesis_entry(record)))]

    def _put_all(self, stream: str, records: Sequence[Record]) -> list[JSON]:
        answer = self._client.put_records(StreamName=stream, Records=[kinesis_entry(one) for one in records])
        return [dict(entry) for entry in answer.get("Records", [])]

    def _ask(self, stream: str, request: Callable[[], T]) -> T:
        """Its answer. Raises `UnavailableError` where asking again helps, `ClientError` if Kinesis refuses for good, and
        `SinkError` if the SDK cannot even ask, for want of credentials."""
        try:
            return _once_more_if_dropped(request)
        except ClientError as error:
            if _passes(error.response):
                raise UnavailableError(f"{stream}: {error}") from error
            raise
        except (ConnectionError, HTTPClientError) as error:
            raise UnavailableError(f"{self._client.meta.endpoint_url} does not answer ({reason(error)})") from error
        except BotoCoreError as error:
            raise SinkError(f"The SDK cannot send to {stream}: {error}.") from error


def _once_more_if_dropped(request: Callable[[], T]) -> T:
    """A server may drop an idle connection just as it is used again. That is no outage: try at once, and once."""
    try:
        return request()
    except ConnectionClosedError:
        return request()


def _passes(answer: Any) -> bool:
    """A full shard, or trouble of Kinesis' own."""
    status = answer["ResponseMetadata"]["HTTPStatusCode"]
    return status == 429 or status >= 500 or answer["Error"]["Code"] in RETRIABLE_KINESIS_ERRORS
