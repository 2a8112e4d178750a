"""The streaming data source `kinesis`: what Spark calls, on the driver and in the tasks.

Kinesis cannot be asked where a stream ends, so the end of a batch is found by reading: `latestOffset` fetches a bounded number of records, the
last one taken is the end, and `partitions` ships the records to the tasks. After a restart they are not in memory: then the tasks
read the same range again, from the sequence number after the one to the other.
"""

import heapq
import math
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa
from pyspark.sql.datasource import DataSource, DataSourceStreamReader, InputPartition
from pyspark.sql.streaming.datasource import ReadLimit, ReadMaxRows, SupportsTriggerAvailableNow
from pyspark.sql.types import StructType

from spark_jobs.errors import KinesisError
from spark_jobs.kinesis.api import Api, Record
from spark_jobs.kinesis.cursor import Cursor, replay, report_loss
from spark_jobs.kinesis.options import MAX_RECORDS_PER_FETCH, Options
from spark_jobs.kinesis.positions import (
    Kind,
    Offset,
    Position,
    Shard,
    is_replaced,
    lost_shards,
    newly_readable,
    without_expired,
)
from spark_jobs.kinesis.rows import SCHEMA, to_rows

BATCH_BYTES = 32 * 1024**2
"""A batch holds no more (but at least one record). The driver buffers no more than this and one answer a thread."""

PIECE_BYTES = 4 * 1024**2
"""What one task is handed, unless a single record is larger."""

REFRESH = 3_600_000
"""So often (ms) an idle stream's offset moves, by an empty batch: a record that comes next is then known to be no older than this."""

IDLE_PAUSE = 0.4
"""The time (s) from one question to the next when no shard had more to give. A shard answers five a second, to all of its readers together."""

_THREADS = 8
"""Each may bring an answer of 10 MB."""

_NO_LIMIT = 10**9


@dataclass(frozen=True)
class Piece(InputPartition):
    """Records that the driver has fetched."""

    records: list[Record]


@dataclass(frozen=True)
class Range(InputPartition):
    """Records that the task is to fetch: after `start`, up to and with the sequence number `last`."""

    shard: str
    start: Position
    last: str


class KinesisDataSource(DataSource):
    """Register it with `spark.dataSource.register(KinesisDataSource)`. Raises `OptionError` when a stream is loaded with a bad option."""

    def __init__(self, options: dict[str, str]) -> None:
        super().__init__(options)
        self._parsed = Options.of(options)

    @classmethod
    def name(cls) -> str:
        return "kinesis"

    def schema(self) -> str:
        return SCHEMA

    def streamReader(self, schema: StructType) -> "KinesisStreamReader":  # noqa: N802
        return KinesisStreamReader(self._parsed)


class KinesisStreamReader(DataSourceStreamReader, SupportsTriggerAvailableNow):
    """Reads one stream. The driver keeps one for a query's life; a task gets one with the options only."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._client: Api | None = None
        self._pool: ThreadPoolExecutor | None = None
        self._buffers: dict[str, _Buffer] = {}
        self._listed: tuple[dict[str, Shard], float] = ({}, float("-inf"))
        self._target: int | None = None
        self._idle_until = 0.0

    def __reduce__(self) -> Any:
        return KinesisStreamReader, (self._options,)

    @property
    def _api(self) -> Api:
        if self._client is None:
            self._client = Api(self._options)
        return self._client

    # On the driver

    def initialOffset(self) -> dict[str, Any]:  # noqa: N802
        init = self._options.initial or Position(Kind.TIMESTAMP, str(Api.now()))
        return Offset(init, {}, {}).to_json()

    def getDefaultReadLimit(self) -> ReadLimit:  # noqa: N802
        return ReadMaxRows(self._options.records_per_trigger)

    def prepareForTriggerAvailableNow(self) -> None:  # noqa: N802
        """From now on, what arrives later is left for the next run."""
        self._target = Api.now()

    def latestOffset(self, start: dict[str, Any], limit: ReadLimit) -> dict[str, Any]:  # noqa: N802
        """The end of the next batch, whose records are then in memory; `start` itself if there is nothing new.

        Raises `KinesisError`, and `DataLossError` if records may have been lost.
        """
        rows = limit.max_rows if isinstance(limit, ReadMaxRows) else _NO_LIMIT
        begun = Offset.of_json(start)
        self.commit(start)  # Spark may say so only later
        if not any(buffer.records for buffer in self._buffers.values()):
            time.sleep(max(0.0, self._idle_until - time.monotonic()))
        shards = self._shards()
        origins = self._survey(begun.shards, shards)
        positions = {shard: p for shard, p in begun.shards.items() if shard in shards or p.kind is Kind.END} | origins
        while True:
            new = newly_readable(positions, shards, begun.init)
            positions = without_expired(positions | new, shards)
            buffers = self._buffers_at(positions)
            self._fetch(list(buffers.values()), rows)
            taken = _in_turn(buffers, rows)
            end = positions | {shard: buffer.after(taken[shard]) for shard, buffer in buffers.items()}
            # The arrival of their first record, so that a batch that is repeated late knows whether it has lost some.
            origins |= {shard: buffers[shard].origin for shard in new}
            # A batch never holds both a parent's records and its child's, so that a key's records stay in order from batch to batch.
            if any(taken.values()) or not newly_readable(end, shards, begun.init):
                break
            positions = end
        if not _has_moved(begun.shards, end):
            return start
        return Offset(begun.init, end, origins).to_json()

    def partitions(self, start: dict[str, Any], end: dict[str, Any]) -> Sequence[InputPartition]:
        """What the tasks are to do for the batch from `start` to `end`: pieces of what is in memory, else ranges to read again."""
        begun, done = Offset.of_json(start), Offset.of_json(end)
        pieces, ranges = _Pieces(), []
        for shard, position in done.shards.items():
            origin = done.origins.get(shard, begun.shards.get(shard))
            if origin is None:
                raise KinesisError(
                    f"The checkpoint's offset {end} does not say where {shard} began. Use another checkpoint folder."
                )
            last = position.sequence
            if not last or last == origin.sequence:
                continue
            buffer = self._buffers.get(shard)
            records = buffer.between(origin, last) if buffer else None
            if records is None:
                ranges.append(Range(shard, origin, last))
            else:
                pieces.add(records)
        return [*pieces.partitions, *ranges]

    def commit(self, end: dict[str, Any]) -> None:
        for shard, position in Offset.of_json(end).shards.items():
            if shard in self._buffers and not self._buffers[shard].seek(position):
                del self._buffers[shard]

    def stop(self) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)

    # In a task

    def read(self, partition: InputPartition) -> Iterator[pa.RecordBatch]:
        """The rows of a partition. Raises `DataLossError` if records that are to be read again are gone."""
        if isinstance(partition, Piece):
            yield to_rows(self._options.stream, partition.records)
        elif isinstance(partition, Range):
            for records in replay(
                self._api,
                partition.shard,
                partition.start,
                partition.last,
                MAX_RECORDS_PER_FETCH,
                self._options.fail_on_data_loss,
            ):
                yield to_rows(self._options.stream, records)
        else:
            raise KinesisError(
                f"A partition of the kinesis source is a Piece or a Range, but this is {type(partition).__name__}."
            )

    # Within

    def _shards(self) -> dict[str, Shard]:
        shards, asked = self._listed
        if time.monotonic() - asked >= self._options.list_interval:
            shards = self._api.shards()
            self._listed = (shards, time.monotonic())
        return shards

    def _survey(self, positions: Mapping[str, Position], shards: Mapping[str, Shard]) -> dict[str, Position]:
        """Compare what was read with what there is: the shards that must begin anew. Raises `DataLossError`."""
        replaced = [name for name, shard in shards.items() if name in positions and is_replaced(positions[name], shard)]
        if replaced:
            report_loss(
                f"The stream {self._options.stream} has been deleted and made again: {', '.join(replaced)} is not the shard that was read.",
                self._options.fail_on_data_loss,
            )
        for shard in lost_shards(positions, shards):
            report_loss(
                f"{shard} has gone from the stream {self._options.stream} before it was read to its end.",
                self._options.fail_on_data_loss,
            )
        return {shard: Position(Kind.TRIM_HORIZON) for shard in replaced}

    def _buffers_at(self, positions: Mapping[str, Position]) -> "dict[str, _Buffer]":
        """A buffer for each shard that can still be read, beginning at its position. What others held is dropped."""
        found: dict[str, _Buffer] = {}
        for shard, position in positions.items():
            if position.kind is Kind.END:
                continue
            buffer = self._buffers.get(shard)
            if buffer is None or not buffer.seek(position):
                buffer = _Buffer(Cursor(self._api, shard, position, self._options.fail_on_data_loss))
            found[shard] = buffer
        self._buffers = found
        return found

    def _fetch(self, buffers: "list[_Buffer]", rows: int) -> None:
        """Fill the buffers until they hold `rows` records or a batch's bytes, all shards are at their tips, or the time is up."""
        begun = time.monotonic()
        if self._pool is None:
            self._pool = ThreadPoolExecutor(_THREADS, "kinesis")
        for buffer in buffers:
            buffer.resting = buffer.finished
        while hungry := [buffer for buffer in buffers if not buffer.resting]:
            left = rows - sum(len(buffer.records) for buffer in buffers)
            if left <= 0 or _full(buffers):
                return
            share = math.ceil(left / len(hungry))

            def fill(buffer: _Buffer, share: int = share) -> None:
                if not _full(buffers):
                    buffer.poll(share, self._target)

            # Who holds least comes first, else a busy shard could keep the others out.
            list(self._pool.map(fill, sorted(hungry, key=lambda buffer: buffer.size)))
            late = time.monotonic() - begun > self._options.fetch_duration
            # Without a record there would be no batch, and Trigger.AvailableNow would take that for the end.
            if late and (self._target is None or any(buffer.records for buffer in buffers)):
                return
        self._idle_until = begun + IDLE_PAUSE


class _Buffer:
    """What was fetched of one shard and is not committed yet: the records after `start`, up to the cursor."""

    def __init__(self, cursor: Cursor) -> None:
        self.start = cursor.position
        self.records: deque[Record] = deque()
        self.size = 0
        self.resting = False
        """There is no reason to ask again in this trigger."""
        self._cursor = cursor
        self._beyond: int | None = None
        """The arrival of the first record that came too late for Trigger.AvailableNow."""

    @property
    def finished(self) -> bool:
        return self._cursor.ended or self._beyond is not None

    @property
    def origin(self) -> Position:
        """Where the buffer begins, with what is known about the next record now."""
        return replace(self.start, since=self.records[0].arrival) if self.records else self.start

    def poll(self, limit: int, target: int | None) -> None:
        """Fetch once, but nothing that arrived after `target` (ms)."""
        fetched = self._cursor.poll(limit)
        if target is not None:
            late = next((i for i, record in enumerate(fetched) if record.arrival > target), None)
            if late is not None:
                self._beyond = fetched[late].arrival
                fetched = fetched[:late]
        self.records.extend(fetched)
        self.size += sum(record.size for record in fetched)
        self.resting = self.finished or self._cursor.behind == 0

    def after(self, count: int) -> Position:
        """Where the shard stands when the first `count` records have been taken."""
        last = self.records[count - 1].sequence if count else ""
        if count == len(self.records) and self._beyond is None:
            since = self._cursor.position.since
            if self._cursor.ended:
                return Position(Kind.END, last or self.start.sequence, since)
        else:
            since = self._beyond if count == len(self.records) else self.records[count].arrival
        return Position(Kind.AFTER, last, since) if count else replace(self.start, since=since)

    def seek(self, position: Position) -> bool:
        """Drop what comes before `position`, which then is the start. False if this buffer cannot go there."""
        if position.place != self.start.place:
            if not any(record.sequence == position.sequence for record in self.records):
                return False
            while True:
                record = self.records.popleft()
                self.size -= record.size
                if record.sequence == position.sequence:
                    break
            self.start = position
        return True

    def between(self, start: Position, last: str) -> list[Record] | None:
        """The records after `start`, up to and with the sequence number `last`; None if they are not all here."""
        if start.place != self.start.place:
            return None
        found = []
        for record in self.records:
            found.append(record)
            if record.sequence == last:
                return found
        return None


class _Pieces:
    """Records in their order, cut into partitions of a bounded size."""

    def __init__(self) -> None:
        self.partitions: list[Piece] = []
        self._room = 0

    def add(self, records: Sequence[Record]) -> None:
        for record in records:
            if record.size > self._room:
                self.partitions.append(Piece([]))
                self._room = PIECE_BYTES
            self.partitions[-1].records.append(record)
            self._room -= record.size


def _full(buffers: "list[_Buffer]") -> bool:
    return sum(buffer.size for buffer in buffers) >= BATCH_BYTES


def _in_turn(buffers: "Mapping[str, _Buffer]", rows: int) -> dict[str, int]:
    """How many records to take of each shard, up to `rows` and a batch's bytes, but one at least if there is one.

    One shard after the other gives one, so that none waits for a backlog of another; where not all can, the oldest record goes first.
    """
    taken = dict.fromkeys(buffers, 0)
    size = 0
    queues = (enumerate(buffer.records) for buffer in buffers.values())
    for count, (_, record) in enumerate(heapq.merge(*queues, key=lambda item: (item[0], item[1].arrival))):
        size += record.size
        if count >= rows or (count and size > BATCH_BYTES):
            break
        taken[record.shard] += 1
    return taken


def _has_moved(begun: Mapping[str, Position], end: Mapping[str, Position]) -> bool:
    """Is there a record to read, a shard that is new or at its end, or a `since` that has grown old?"""
    for shard, position in end.items():
        before = begun.get(shard)
        if before is None or before.place != position.place:
            return True
        if position.since is not None and position.since - (before.since or 0) >= REFRESH:
            return True
    return False
