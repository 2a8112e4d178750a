"""Kinesis' four calls that a reader needs, by boto3, with patience where patience helps."""

import random
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any, NamedTuple

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from spark_jobs.errors import KinesisError
from spark_jobs.kinesis.options import Options
from spark_jobs.kinesis.positions import Kind, Position, Shard

BUSY = frozenset(
    {
        "ProvisionedThroughputExceededException",
        "LimitExceededException",
        "KMSThrottlingException",
        "ResourceInUseException",  # the stream is being made
    }
)
"""Answers that time alone mends: a shard gives five reads and 2 MB a second, to all of its readers together."""

GONE = frozenset({"ExpiredIteratorException", "InvalidArgumentException", "ResourceNotFoundException"})
"""Answers about an iterator or a sequence number that is of no use any more."""

PATIENCE = 60.0
"""So long (s) one call waits for Kinesis to be less busy."""

_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 5.0
_CLOCK_SKEW = 10_000
"""So far (ms) this machine's clock may be ahead of Kinesis'. Kinesis refuses times in its future."""

_RETENTION_CACHED = 600.0
_OVERHEAD = 200
"""About what a record takes besides its data and key (bytes)."""


class GoneError(KinesisError):
    """The iterator has expired, or the shard or the sequence number is not there any more. `code` is Kinesis' own."""

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.code = code


class Record(NamedTuple):
    """One Kinesis record. `arrival` is in ms since 1970."""

    shard: str
    sequence: str
    key: str
    data: bytes
    arrival: int

    @property
    def size(self) -> int:
        return len(self.data) + len(self.key) + _OVERHEAD


class Answer(NamedTuple):
    """What GetRecords gave: `iterator` is None at the end of a closed shard; `behind` (ms) is 0 at the tip."""

    records: list[Record]
    iterator: str | None
    behind: int


@cache
def _session() -> boto3.session.Session:
    """Kept, as each session reads boto3's model of Kinesis anew. Not boto3's own, which other code may be changing."""
    return boto3.session.Session()


class Api:
    """One stream, as one process sees it; threads may share it. Its methods raise `KinesisError`. Not to be pickled."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._retention = (0, float("-inf"))
        try:
            self._client: Any = _session().client(
                "kinesis",
                region_name=options.region,
                endpoint_url=options.endpoint,
                aws_access_key_id=options.access_key,
                aws_secret_access_key=options.secret_key,
                aws_session_token=options.session_token,
                # Dropped connections and faults of the server are repeated here, for a few seconds.
                config=Config(
                    retries={"mode": "standard", "total_max_attempts": 3},
                    max_pool_connections=16,
                    connect_timeout=10,
                    read_timeout=60,
                ),
            )
        except (BotoCoreError, ValueError) as error:
            raise KinesisError(
                f"No client for Kinesis could be made: {error} Look at the options region and endpointUrl."
            ) from error

    @staticmethod
    def now() -> int:
        """This machine's time, in ms since 1970."""
        return time.time_ns() // 1_000_000

    def shards(self) -> dict[str, Shard]:
        """All shards that hold records or may get some: open ones, and closed ones until their records have expired."""
        found: dict[str, Shard] = {}
        arguments: dict[str, Any] = {"StreamName": self._options.stream}
        while True:
            page = self._call("list_shards", **arguments)
            for shard in page["Shards"]:
                parents = (shard.get("ParentShardId"), shard.get("AdjacentParentShardId"))
                starting = int(shard["SequenceNumberRange"]["StartingSequenceNumber"])
                found[shard["ShardId"]] = Shard(tuple(parent for parent in parents if parent), starting)
            if not page.get("NextToken"):
                return found
            arguments = {"NextToken": page["NextToken"]}

    def retention(self) -> int:
        """How long the stream keeps a record (ms)."""
        retention, asked = self._retention
        if time.monotonic() - asked > _RETENTION_CACHED:
            summary = self._call("describe_stream_summary", StreamName=self._options.stream)
            retention = int(summary["StreamDescriptionSummary"]["RetentionPeriodHours"]) * 3_600_000
            self._retention = (retention, time.monotonic())
        return retention

    def iterator(self, shard: str, position: Position, at: bool = False) -> str:
        """An iterator from `position`; with `at`, from the record itself that the position is after.

        Raises `GoneError` if the shard is not there, or the sequence number is none of its, where the server cares.
        """
        arguments: dict[str, Any] = {"StreamName": self._options.stream, "ShardId": shard}
        if position.kind is Kind.TRIM_HORIZON:
            arguments |= {"ShardIteratorType": "TRIM_HORIZON"}
        elif position.kind is Kind.TIMESTAMP:
            time_ = datetime.fromtimestamp(int(position.value) / 1000, UTC)
            arguments |= {"ShardIteratorType": "AT_TIMESTAMP", "Timestamp": time_}
        else:
            kind = "AT_SEQUENCE_NUMBER" if at else "AFTER_SEQUENCE_NUMBER"
            arguments |= {"ShardIteratorType": kind, "StartingSequenceNumber": position.value}
        while True:
            try:
                return str(self._call("get_shard_iterator", gone=True, **arguments)["ShardIterator"])
            except GoneError as error:
                if position.kind is not Kind.TIMESTAMP or error.code != "InvalidArgumentException":
                    raise
                if not 0 <= self.now() - int(position.value) <= _CLOCK_SKEW:
                    raise KinesisError(
                        f"Kinesis does not take the time {position.value} (ms since 1970) to begin {self._options.stream} at: {error} "
                        "Is initialPosition in the past, and is this machine's clock right?"
                    ) from error
                time.sleep(_FIRST_PAUSE)  # "now" is in the future, by Kinesis' clock

    def records(self, shard: str, iterator: str, limit: int) -> Answer:
        """Up to `limit` records. None at all does not mean the tip: look at `behind`. Raises `GoneError` if the iterator has expired."""
        limit = max(1, min(limit, self._options.records_per_fetch))
        answer = self._call("get_records", gone=True, ShardIterator=iterator, Limit=limit)
        records = [
            Record(
                shard,
                record["SequenceNumber"],
                record["PartitionKey"],
                record["Data"],
                round(record["ApproximateArrivalTimestamp"].timestamp() * 1000),
            )
            for record in answer["Records"]
        ]
        return Answer(records, answer.get("NextShardIterator"), int(answer.get("MillisBehindLatest") or 0))

    def _call(self, operation: str, gone: bool = False, **arguments: Any) -> Mapping[str, Any]:
        """One call. With `gone`, an answer in GONE is a `GoneError`."""
        begun, pause = time.monotonic(), _FIRST_PAUSE
        while True:
            try:
                answer: Mapping[str, Any] = getattr(self._client, operation)(**arguments)
                return answer
            except ClientError as error:
                code = str(error.response.get("Error", {}).get("Code"))
                if gone and code in GONE:
                    raise GoneError(str(error), code) from error
                if code not in BUSY:
                    raise KinesisError(f"Kinesis does not serve the stream {self._options.stream}: {error}") from error
                if time.monotonic() - begun + pause > PATIENCE:
                    raise KinesisError(
                        f"Kinesis has been too busy for {PATIENCE:.0f} s with the stream {self._options.stream}: {error} "
                        "Let fewer readers share it, or give it more shards."
                    ) from error
            except BotoCoreError as error:
                raise KinesisError(
                    f"Kinesis cannot be asked about the stream {self._options.stream}: {error}"
                ) from error
            # At random, so that readers that were refused together do not come back together.
            time.sleep(random.uniform(pause / 2, pause))
            pause = min(2 * pause, _LONGEST_PAUSE)
