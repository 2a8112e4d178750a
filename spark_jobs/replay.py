"""What is in quarantine, sent through today's cleaning once more: for the records that an earlier cleaning was wrong about.

What is accepted now is merged into its table like any other record, so that a later one of its post wins, and then leaves quarantine; what
is not gets the reasons that speak against it today. In that order, because a replay that dies in between leaves a record in both places,
and the next one merges it without effect and lets it go. Nothing here needs the other jobs to stand still: each write is a `MERGE` by the
record's place in its log, done again where another writer was faster.

It works on the text in quarantine, not on the objects or the stream that it came from. For what was UTF-8 that is the same text, it costs
no more than the quarantine holds, and both paths are served alike: a stream forgets its records, and objects may have been uploaded
anew since under other names. What was not UTF-8 stays: should a cleaning ever read it, `clean <frame> --full` does so from the
objects' own bytes.
"""

from dataclasses import dataclass

from delta.tables import DeltaTable
from pyspark.sql import SparkSession
from pyspark.sql import functions as F  # noqa: N812

from settings import FRAMES, Frame, Settings
from spark_jobs import quarantine, tables
from spark_jobs.errors import MissingTableError
from spark_jobs.logs import KAFKA, KINESIS, Log
from spark_jobs.paths import Lake


@dataclass(frozen=True)
class Replayed:
    """How many records were looked at, and how many of them have left quarantine."""

    records: int = 0
    accepted: int = 0

    def __add__(self, other: "Replayed") -> "Replayed":
        return Replayed(self.records + other.records, self.accepted + other.accepted)

    def __str__(self) -> str:
        rejected = self.records - self.accepted
        return f"{self.records} records looked at, {self.accepted} accepted now, {rejected} still rejected"


def replay(spark: SparkSession, lake: Lake, settings: Settings) -> Replayed:
    """Replay both paths' quarantines, as far as there are any. Raises `MissingTableError`, as `replay_frame` does."""
    done = Replayed()
    if DeltaTable.isDeltaTable(spark, lake.quarantine):
        for frame in FRAMES:
            done += replay_frame(spark, lake.quarantine, lake.table(frame), frame, KAFKA)
    if DeltaTable.isDeltaTable(spark, lake.stream_quarantine):
        for frame in FRAMES:
            table = lake.stream_table(settings.table(frame))
            done += replay_frame(spark, lake.stream_quarantine, table, frame, KINESIS)
    return done


def replay_frame(spark: SparkSession, path: str, table: str, frame: Frame, log: Log) -> Replayed:
    """Replay one frame's records in the quarantine at `path`. Raises `MissingTableError` if there is no table to take them."""
    cleaned = quarantine.cleaned_again(spark, path, frame, log).persist()
    try:
        records, accepted = cleaned.agg(F.count("*"), F.count_if(F.size("reasons") == 0)).collect()[0]
        if accepted:
            if not DeltaTable.isDeltaTable(spark, table):
                raise MissingTableError(
                    f"There is no table {table} to take the {accepted} records of {frame} that are accepted now. "
                    "The next batch run, or the streaming job, makes it again from everything."
                )
            tables.merge(table, tables.latest(cleaned, frame, log), log)
        if records:
            quarantine.settle(path, cleaned, frame, log)
    finally:
        cleaned.unpersist()
    return Replayed(records, accepted)
