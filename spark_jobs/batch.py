"""The batch path's three steps: `clean` a frame, `answer` the questions, `check` the result; and, for both paths, the `replay` of quarantine.

    python -m spark_jobs.batch clean pin|geo|user [--full]
    python -m spark_jobs.batch answer
    python -m spark_jobs.batch check
    python -m spark_jobs.batch replay

or this file as spark-submit's application with the same arguments. The last line says what was done, or what went wrong.

A frame is cleaned incrementally: a checkpoint knows which objects were read. The table's property `pinterest.checkpoint` names the
checkpoint that is its own, and **the first batch of a checkpoint replaces the table**, property and rows in one commit. So starting over,
which is all that `--full` does, means a new checkpoint; a run that is killed before that commit has changed nothing, and one that is killed
later is continued by the next run, with or without `--full`. The same rule mends a table or a checkpoint that vanished by itself.

Where too many records are bad (`limit.py`), a run ends before it writes any of them, or says in its checkpoint that they were read. So
the next one, with a cleaning that was mended or a limit that was raised, reads the same records again, and these by themselves before
any newer: good records that come later do not hide bad ones that nobody has looked at.
"""

import argparse
import sys
import time
import traceback
from dataclasses import dataclass
from uuid import uuid4

from delta.tables import DeltaTable
from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException, StreamingQueryException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812

from settings import FRAMES, Frame, Settings, SettingsError
from spark_jobs import quarantine, tables
from spark_jobs.answers import write_answers
from spark_jobs.check import check
from spark_jobs.cleaning import clean
from spark_jobs.errors import JobError, MissingTableError, QuarantineLimitError
from spark_jobs.lake import Files, lines, stream_objects
from spark_jobs.limit import Limit
from spark_jobs.logs import KAFKA
from spark_jobs.paths import Lake
from spark_jobs.replay import replay
from spark_jobs.session import session


@dataclass
class Counts:
    """What one run did: records read, rows written to the table, records put into quarantine."""

    read: int = 0
    merged: int = 0
    quarantined: int = 0

    def __str__(self) -> str:
        return f"{self.read} records read, {self.merged} rows merged, {self.quarantined} quarantined"


def clean_frame(spark: SparkSession, lake: Lake, frame: Frame, topic: str, limit: Limit, full: bool = False) -> Counts:
    """Bring a frame's table and its quarantine up to the objects that are there now. All counts are 0 if there are none.

    Raises `QuarantineLimitError` before it writes what would bring the run beyond the limit. A long backlog is read in parts: each is
    judged together with those that the run has read before it, and only what came before stands in the tables.
    """
    counts, refusals = Counts(), list[QuarantineLimitError]()
    files = Files(spark)
    if not files.exists(lake.objects(topic)):
        print(f"There is nothing under {lake.objects(topic)} yet.")
        return counts
    checkpoint = (None if full else tables.checkpoint_of(spark, lake.table(frame))) or uuid4().hex

    def take(objects: DataFrame, batch: int) -> None:
        cleaned = clean(lines(objects, topic), frame).persist()
        try:
            bad = F.size("reasons") > 0
            inds = F.count_distinct(F.when(~bad, F.col("ind")))
            read, rejected, posts = cleaned.agg(F.count("*"), F.count_if(bad), inds).collect()[0]
            counts.read += read
            counts.quarantined += rejected
            if limit.is_passed(counts.read, counts.quarantined):
                refusals.append(_refusal(counts, limit, quarantine.commonest(cleaned, KAFKA)))
                raise refusals[0]
            rows, rejects = tables.latest(cleaned, frame, KAFKA), quarantine.quarantined(cleaned, frame, KAFKA)
            if batch == 0:
                # The table first: with it the new checkpoint counts, and this batch is repeated until the quarantine has followed.
                tables.replace(lake.table(frame), rows, checkpoint)
                counts.merged += posts
                quarantine.replace(lake.quarantine, rejects, frame, KAFKA)
            else:
                counts.merged += tables.merge(lake.table(frame), rows, KAFKA)
                if rejected:
                    quarantine.insert(lake.quarantine, rejects, frame, KAFKA)
        finally:
            cleaned.unpersist()

    stream = stream_objects(spark, lake.objects(topic)).writeStream.foreachBatch(take)
    stream = stream.option("checkpointLocation", f"{lake.checkpoints(frame)}/{checkpoint}").trigger(availableNow=True)
    try:
        stream.start().awaitTermination()
    except StreamingQueryException:
        # Java passes on that something was raised, and not what.
        if refusals:
            raise refusals[0] from None
        raise
    for old in files.children(lake.checkpoints(frame)):
        if old != checkpoint:
            files.delete(f"{lake.checkpoints(frame)}/{old}")
    return counts


def _refusal(counts: Counts, limit: Limit, reasons: str) -> QuarantineLimitError:
    return QuarantineLimitError(
        f"Of this run's records, {limit.told(counts.read, counts.quarantined)}. The commonest reasons among those read last: {reasons}. Nothing of what was read "
        "last is written, and the next run reads it again, before anything newer. If the cleaning is wrong, mend it in spark_jobs/cleaning.py; "
        "if the records are, raise QUARANTINE_MAX_SHARE."
    )


def answer(spark: SparkSession, lake: Lake) -> str:
    """Answer the questions from the three tables. Raises `MissingTableError` if one has not been made."""
    for frame in FRAMES:
        if not DeltaTable.isDeltaTable(spark, lake.table(frame)):
            raise MissingTableError(f"There is no table {lake.table(frame)}. Post something, then run `clean {frame}`.")
    frames: dict[Frame, DataFrame] = {frame: spark.read.format("delta").load(lake.table(frame)) for frame in FRAMES}
    rows = write_answers(frames, lake)
    return ", ".join(f"{name}: {count} rows" for name, count in rows.items())


def main(arguments: list[str]) -> int:
    """Run one step. Gives the process's exit code."""
    parser = argparse.ArgumentParser(prog="spark_jobs.batch", description="The batch path, step by step.")
    steps = parser.add_subparsers(dest="step", required=True)
    cleaning = steps.add_parser("clean", help="bring a frame's table up to date with the lake")
    cleaning.add_argument("frame", choices=FRAMES)
    cleaning.add_argument("--full", action="store_true", help="start over: read everything again")
    steps.add_parser("answer", help="answer the eight questions")
    steps.add_parser("check", help="check that the tables hold what they must")
    steps.add_parser("replay", help="send what is in quarantine, of both paths, through cleaning again")
    options = parser.parse_args(arguments)
    name = " ".join(filter(None, (options.step, getattr(options, "frame", None))))

    started = time.monotonic()
    try:
        settings = Settings.load()
        lake = Lake.of(settings)
        spark = session(settings, f"pinterest {name}")
        if options.step == "clean":
            topic, limit = settings.topic(options.frame), Limit.of(settings)
            done = str(clean_frame(spark, lake, options.frame, topic, limit, options.full))
        elif options.step == "answer":
            done = answer(spark, lake)
        elif options.step == "replay":
            done = str(replay(spark, lake, settings))
        else:
            done = check(spark, lake, {frame: settings.topic(frame) for frame in FRAMES})
    except (JobError, SettingsError) as error:
        print(f"{name} failed: {error}", flush=True)
        return 1
    except (PySparkException, Py4JJavaError) as error:
        traceback.print_exc()
        # py4j's own text only names the call; what S3 or Delta said is Java's.
        message = error.java_exception.toString() if isinstance(error, Py4JJavaError) else str(error)
        reason = str(message).strip().splitlines()[0]
        print(f"{name} failed in Spark: {reason} (the details are above)", flush=True)
        return 1
    print(f"{name}: {done}, {time.monotonic() - started:.1f} s", flush=True)
    return 0


def command() -> None:
    """What starts a step: as a program, or on Databricks as the wheel's `batch`."""
    # Databricks takes any SystemExit for a failure, even with 0.
    if code := main(sys.argv[1:]):
        sys.exit(code)


if __name__ == "__main__":
    command()
