"""The streaming path as it stands: what of Kinesis is in the tables, what waits, and what Spark reported of it."""

import json
import re
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError
from rich import box
from rich.console import Console
from rich.table import Table

from emulator.ledger import read_ledger
from settings import FRAMES, Frame, Settings
from spark_jobs.kinesis.positions import sequence_numbers
from spark_jobs.paths import CHECKPOINT, PROGRESS
from stack import lake
from stack.errors import DataError

if TYPE_CHECKING:
    from mypy_boto3_kinesis import KinesisClient

Positions = Mapping[str, tuple[str, str]]
"""Shard → how it was read, and the sequence number of its last record that is in the tables."""


@dataclass(frozen=True)
class Waiting:
    """A stream's records that are in no table yet. `since` is when the oldest of them arrived."""

    records: int = 0
    since: datetime | None = None

    @property
    def seconds(self) -> float:
        """How far behind the table is."""
        return (datetime.now(UTC) - self.since).total_seconds() if self.since else 0.0


def committed(settings: Settings, frame: Frame) -> Positions:
    """How far the query has come, as its checkpoint says; empty if it has not begun. Raises `DataError`."""
    folder = CHECKPOINT.format(frame)
    try:
        client = lake.client(settings)
        pages = client.get_paginator("list_objects_v2").paginate(Bucket=settings.bucket, Prefix=f"{folder}/commits/")
        keys = [item["Key"] for page in pages for item in page.get("Contents", [])]
        batches = [int(found[1]) for key in keys if (found := re.search(r"/commits/(\d+)$", key))]
        if not batches:
            return {}
        offsets = client.get_object(Bucket=settings.bucket, Key=f"{folder}/offsets/{max(batches)}")["Body"].read()
    except (BotoCoreError, ClientError) as error:
        raise DataError(f"The checkpoint of {frame} cannot be read: {error}. `make status` says more.") from error
    # Spark's format: its version, the batch's metadata, and one line for each source, of which there is one.
    return sequence_numbers(offsets.decode().splitlines()[-1])


def waiting(settings: Settings, frame: Frame) -> Waiting:
    """What has arrived after the committed positions, counted. Raises `DataError`."""
    positions = committed(settings, frame)
    kinesis: KinesisClient = boto3.client("kinesis", **settings.client_options("kinesis"))
    arrivals: list[datetime] = []
    records = 0
    try:
        for shard in kinesis.list_shards(StreamName=settings.stream(frame))["Shards"]:
            how, sequence = positions.get(shard["ShardId"], ("trim_horizon", ""))
            if how == "end":
                continue
            place: dict[str, Any] = {"ShardIteratorType": "TRIM_HORIZON"}
            if sequence:
                place = {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "StartingSequenceNumber": sequence}
            iterator: str | None = kinesis.get_shard_iterator(
                StreamName=settings.stream(frame), ShardId=shard["ShardId"], **place
            )["ShardIterator"]
            while iterator:
                answer = kinesis.get_records(ShardIterator=iterator, Limit=10_000)
                records += len(answer["Records"])
                arrivals += [record["ApproximateArrivalTimestamp"] for record in answer["Records"][:1]]
                iterator = answer.get("NextShardIterator") if answer["MillisBehindLatest"] else None
    except (BotoCoreError, ClientError) as error:
        raise DataError(
            f"Kinesis' {settings.stream(frame)} cannot be read: {error}. `make status` says more."
        ) from error
    return Waiting(records, min(arrivals, default=None))


def reports(settings: Settings, frame: Frame) -> list[dict[str, Any]]:
    """What Spark reported of the query's latest batches, the newest last. Raises `DataError`."""
    try:
        body = lake.client(settings).get_object(Bucket=settings.bucket, Key=PROGRESS.format(frame))["Body"]
        return [json.loads(line) for line in body.read().decode().splitlines()]
    except ClientError:  # there is no such object, or no bucket
        return []
    except BotoCoreError as error:
        raise DataError(f"The reports of {frame} cannot be read: {error}. `make status` says more.") from error


def alarms(settings: Settings) -> list[str]:
    """A sentence for each stream of which too many of the latest records were rejected. Raises `DataError`."""
    newest = {frame: reports(settings, frame)[-1:] for frame in FRAMES}
    return [f"{frame}: {report['alarm']}" for frame, last in newest.items() for report in last if report.get("alarm")]


def show_alarms(found: Sequence[str], console: Console) -> None:
    """In red, each on a line of its own."""
    for sentence in found:
        console.print(f"ALARM: {sentence}", style="bold red", markup=False, highlight=False, soft_wrap=True)


def show(settings: Settings, console: Console) -> None:
    """`make stream-status`: a line for each stream, and the alarms. Raises `DataError` where something does not answer."""
    # Nine columns, on a terminal of eighty characters.
    shown = Table(title="Streams", title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    for column in ("stream", "in/s", "out/s", "waiting", "behind", "last batch", "version", "rows", "rejected"):
        shown.add_column(column, justify="left" if column == "stream" else "right", no_wrap=True)
    rejected = lake.table(settings, "streaming/quarantine")
    frames = lake.rows(rejected, "frame")["frame"].to_pylist() if rejected else []
    for frame in FRAMES:
        table = lake.table(settings, f"streaming/{settings.table(frame)}")
        behind = waiting(settings, frame)
        report = next((report for report in reversed(reports(settings, frame)) if report["records"]), None)
        shown.add_row(
            frame,
            *(
                ("–", "–")
                if report is None
                else (f"{report[f'records_{way}_per_second']:.1f}" for way in ("in", "out"))
            ),
            str(behind.records),
            f"{behind.seconds:.0f} s",
            "–" if report is None else _when(report),
            *(("–", "–") if table is None else (str(table.version()), str(table.count()))),
            str(frames.count(frame)),
        )
    console.print(shown)
    show_alarms(alarms(settings), console)


def _when(report: Mapping[str, Any]) -> str:
    at = datetime.fromisoformat(report["timestamp"]).astimezone()
    return f"{at:%H:%M:%S} {report['milliseconds']['triggerExecution'] / 1000:.0f} s"


def wait_until_read(settings: Settings, console: Console, patience: float = 180) -> None:
    """Return once all that has arrived is in the tables. Raises `DataError` if nothing moves for `patience` seconds."""
    left, since = -1, time.monotonic()
    while still := sum(waiting(settings, frame).records for frame in FRAMES):
        if still != left:
            left, since = still, time.monotonic()
        elif time.monotonic() - since > patience:
            raise DataError(
                f"{still} records of Kinesis are in no table yet, and nothing has moved for {patience:.0f} s. "
                "`make logs SERVICE=spark-streaming` says more."
            )
        time.sleep(1)
    console.print("All that has arrived in Kinesis is in the streaming path's tables.")


def compare(settings: Settings, console: Console, ledger: Path) -> None:
    """Both paths' tables, row by row.

    Raises `DataError` with examples if a post that both have differs, or if a table lacks one that the ledger says was acknowledged.
    """
    sent: dict[tuple[str, Frame], set[int]] = defaultdict(set)
    for entry in read_ledger(ledger):
        sent[entry.path, entry.frame].add(entry.index)
    shown = Table(title="The two paths' tables", title_justify="left")
    for column in ("frame", "equal", "different", "only in batch", "only in streaming"):
        shown.add_column(column, justify="left" if column == "frame" else "right")
    examples: list[str] = []
    for frame in FRAMES:
        batch = _rows(settings, f"batch/{frame}")
        streaming = _rows(settings, f"streaming/{settings.table(frame)}")
        both = batch.keys() & streaming.keys()
        different = sorted(ind for ind in both if batch[ind] != streaming[ind])
        examples += [f"{frame} {ind}: {batch[ind]} ≠ {streaming[ind]}" for ind in different[:5]]
        for path, rows in (("batch", batch), ("streaming", streaming)):
            lost = sorted(sent[path, frame] - rows.keys())
            examples += [f"{frame} {ind} was acknowledged, and is not in the {path} table" for ind in lost[:5]]
        shown.add_row(
            frame,
            *map(str, (len(both) - len(different), len(different), len(batch) - len(both), len(streaming) - len(both))),
        )
    console.print(shown)
    if examples:
        raise DataError("The two paths disagree: " + "; ".join(examples))


def _rows(settings: Settings, path: str) -> dict[int, dict[str, Any]]:
    """By `ind`, without the place in the log, which differs between the paths."""
    table = lake.table(settings, path)
    if table is None:
        raise DataError(f"There is no table {path} yet.")
    rows = lake.rows(table)
    rows = rows.select([name for name in rows.column_names if not name.startswith("source_")])
    return {row["ind"]: row for row in rows.to_pylist()}
