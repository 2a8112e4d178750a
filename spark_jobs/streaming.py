"""The streaming path: Kinesis to one Delta table a frame, each post once, always on.

    spark-submit spark_jobs/streaming.py

One query and one checkpoint a stream. Cleaning, merging and quarantine are the batch path's own. Merging is idempotent, so a batch that is
repeated after a crash changes nothing.

A checkpoint counts only together with the tables that hold what it says has been read. Where one of them is gone (LocalStack forgets its
S3 when it restarts), the stream is read from its beginning again; and because an idle stream would not notice, the job looks every now
and then. Whatever it cannot mend it leaves to its own restart: it ends with exit code 1, and the platform starts it again.
"""

import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from types import FrameType
from typing import Any

from delta.tables import DeltaTable
from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812
from pyspark.sql.streaming.query import StreamingQuery

from settings import FRAMES, Frame, Settings, SettingsError
from spark_jobs import quarantine, tables
from spark_jobs.cleaning import clean
from spark_jobs.errors import JobError, MissingTableError
from spark_jobs.lake import Files
from spark_jobs.logs import KINESIS
from spark_jobs.paths import Lake
from spark_jobs.progress import ProgressLog, arrivals
from spark_jobs.session import session

HEARTBEAT = Path("/tmp/pinterest-streaming")
"""Touched as long as all is well, for the container's health check."""

ALWAYS_ON: Mapping[str, Any] = {"processingTime": "5 seconds"}
"""A query's trigger: at most so often is a stream looked at. On two cores three streams' batches take longer than that together, and each look costs LocalStack's
Kinesis some 30 ms a shard."""

WHAT_IS_THERE: Mapping[str, Any] = {"availableNow": True}
"""A query's trigger: it ends when it has read what was there when it began."""

_LOOK_EVERY = 5
"""Seconds between two looks at the tables, and two heartbeats."""


def provide_kinesis(spark: SparkSession, settings: Settings) -> None:
    """Our own `kinesis` source, on our own cluster. Databricks has one, and Spark refuses a second of a name.

    It is imported here, as it needs a later Spark than Databricks may have.
    """
    if settings.spark_master_url:
        from spark_jobs.kinesis.source import KinesisDataSource

        spark.dataSource.register(KinesisDataSource)


def read_kinesis_stream(spark: SparkSession, settings: Settings, frame: Frame) -> DataFrame:
    """A frame's stream from its beginning, as raw records: `raw` (string), the place columns of `KINESIS`, `arrived_at`."""
    options = {"streamName": settings.stream(frame), "region": settings.aws_region, "initialPosition": "trim_horizon"}
    if settings.aws_endpoint_url:
        options["endpointUrl"] = settings.aws_endpoint_url
    if settings.aws_credentials:
        options["awsAccessKey"] = settings.aws_credentials["aws_access_key_id"]
        options["awsSecretKey"] = settings.aws_credentials["aws_secret_access_key"]
    records = spark.readStream.format("kinesis").options(**options).load()
    # Databricks' own source unpacks what a producer packed, but does not count it.
    counted = "subSequenceNumber" in records.columns
    return records.select(
        F.col("data").cast("string").alias("raw"),
        "stream",
        F.col("shardId").alias("shard"),
        F.col("sequenceNumber").alias("sequence"),
        (F.col("subSequenceNumber") if counted else F.lit(0)).alias("subsequence"),
        F.col("approximateArrivalTimestamp").alias("arrived_at"),
    )


def store_as_delta(
    records: DataFrame,
    lake: Lake,
    frame: Frame,
    table: str,
    rejections: dict[tuple[str, int], int],
    trigger: Mapping[str, Any] = ALWAYS_ON,
) -> StreamingQuery:
    """Start the query that cleans a frame's raw records, merges them into its table, and puts the rejected ones into quarantine.

    It goes on however many those are. `rejections` gets their number under the frame and the batch's number, for a `ProgressLog`.
    """

    def take(batch: DataFrame, batch_id: int) -> None:
        cleaned = clean(batch, frame).persist()
        try:
            read, rejected = cleaned.agg(F.count("*"), F.count_if(F.size("reasons") > 0)).collect()[0]
            if rejected:
                quarantine.insert(
                    lake.stream_quarantine, quarantine.quarantined(cleaned, frame, KINESIS), frame, KINESIS
                )
                rejections[frame, batch_id] = rejected
            if read > rejected:
                tables.merge(lake.stream_table(table), tables.latest(cleaned, frame, KINESIS), KINESIS)
        finally:
            cleaned.unpersist()

    writer = arrivals(records).drop("arrived_at").writeStream.queryName(frame).foreachBatch(take)
    return writer.option("checkpointLocation", lake.stream_checkpoint(frame)).trigger(**trigger).start()


def prepare(spark: SparkSession, lake: Lake, settings: Settings) -> None:
    """Make the tables that are missing, and forget the checkpoints that count on them."""
    files = Files(spark)
    no_quarantine = not DeltaTable.isDeltaTable(spark, lake.stream_quarantine)
    for frame in FRAMES:
        path = lake.stream_table(settings.table(frame))
        no_table = not DeltaTable.isDeltaTable(spark, path)
        if (no_table or no_quarantine) and files.exists(lake.stream_checkpoint(frame)):
            print(
                f"{frame}: what the checkpoint says was read is gone: reading the stream from its beginning.",
                flush=True,
            )
            files.delete(lake.stream_checkpoint(frame))
        if no_table:
            tables.create(spark, path, frame, KINESIS)
    if no_quarantine:  # last, so that a crash before this line is met by the same again
        quarantine.create(spark, lake.stream_quarantine, KINESIS)


def run(spark: SparkSession, settings: Settings) -> None:
    """Stream until a query fails, whose error is raised, or a table vanishes: `MissingTableError`."""
    lake, files = Lake.of(settings), Files(spark)
    provide_kinesis(spark, settings)
    rejections: dict[tuple[str, int], int] = {}
    spark.streams.addListener(ProgressLog(settings, rejections))
    prepare(spark, lake, settings)
    for frame in FRAMES:
        store_as_delta(read_kinesis_stream(spark, settings, frame), lake, frame, settings.table(frame), rejections)
    held = [lake.stream_quarantine, *(lake.stream_table(settings.table(frame)) for frame in FRAMES)]
    while not spark.streams.awaitAnyTermination(_LOOK_EVERY):
        if gone := [path for path in held if not files.exists(f"{path}/_delta_log")]:
            raise MissingTableError(f"{', '.join(gone)} vanished while streams were written there.")
        HEARTBEAT.touch()


def main() -> int:
    """Run until told to end. Gives the process's exit code."""
    signal.signal(signal.SIGTERM, _end)
    try:
        settings = Settings.load()
        run(session(settings, "pinterest streaming"), settings)
    except (JobError, SettingsError) as error:
        print(f"streaming failed: {error}", flush=True)
    except (PySparkException, Py4JJavaError) as error:
        print(f"streaming failed in Spark: {error}", flush=True)
    return 1


def command() -> None:
    """What starts the job: as a program, or on Databricks as the wheel's `streaming`."""
    sys.exit(main())


def _end(number: int, frame: FrameType | None) -> None:
    """At once: what a batch has not committed it does again."""
    sys.exit(0)


if __name__ == "__main__":
    command()
