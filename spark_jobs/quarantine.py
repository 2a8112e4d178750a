"""The records that could not become rows, whole and with every reason (contract §6).

One table a path for all frames, partitioned by frame: three jobs may write at once without conflict.
"""

from delta.tables import DeltaTable
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812

from settings import Frame
from spark_jobs import tables
from spark_jobs.cleaning import NOT_UTF8, clean, rejected
from spark_jobs.excerpt import excerpt
from spark_jobs.logs import Log


def quarantined(cleaned: DataFrame, frame: Frame, log: Log) -> DataFrame:
    """The rejected records in the quarantine's columns. Bytes that are not UTF-8 become U+FFFD; the log still has them."""
    return rejected(cleaned).select(
        F.lit(frame).alias("frame"),
        F.make_valid_utf8("raw").alias("raw"),
        *log.place,
        "reasons",
        F.current_timestamp().alias("quarantined_at"),
    )


def commonest(cleaned: DataFrame, log: Log) -> str:
    """The three commonest reasons against the rejected records, as a list in a sentence: how many, and the first of them in its log."""
    sample = F.min(F.struct(*log.identity, F.make_valid_utf8("raw").alias("raw"))).alias("sample")
    reasons = rejected(cleaned).select(F.explode("reasons").alias("reason"), *log.identity, "raw").groupBy("reason")
    found = reasons.agg(F.count("*").alias("records"), sample).orderBy(F.desc("records"), "reason").limit(3).collect()
    return "; ".join(
        f"{reason} ({records:,}, such as {'/'.join(map(str, place))}: {excerpt(raw)})"
        for reason, records, (*place, raw) in found
    )


def replace(path: str, records: DataFrame, frame: Frame, log: Log) -> None:
    """Start a frame's quarantine over."""
    create(records.sparkSession, path, log)
    overwrite = records.write.format("delta").mode("overwrite").option("replaceWhere", f"frame = '{frame}'")
    tables.retrying(lambda: overwrite.save(path))


def insert(path: str, records: DataFrame, frame: Frame, log: Log) -> None:
    """Insert the records that are not there yet."""
    create(records.sparkSession, path, log)

    def write() -> None:
        table = DeltaTable.forPath(records.sparkSession, path).alias("old")
        table.merge(records.alias("new"), _same(frame, log)).whenNotMatchedInsertAll().execute()

    tables.retrying(write)


def cleaned_again(spark: SparkSession, path: str, frame: Frame, log: Log) -> DataFrame:
    """A frame's records as today's cleaning sees them: what `cleaning.clean` gives, and the `earlier` reasons.

    From the text that is kept here, which is the record's own as long as that was UTF-8. Of the others it is not, so the reason
    against them stands. As the quarantine is at this moment, however often and however late the result is computed.
    """
    version = DeltaTable.forPath(spark, path).history(1).collect()[0]["version"]
    kept = spark.read.format("delta").option("versionAsOf", version).load(path).where(F.col("frame") == frame)
    cleaned = clean(kept.select("raw", *log.place, F.col("reasons").alias("earlier")), frame)
    unreadable = F.array_contains("earlier", NOT_UTF8)
    return cleaned.withColumn("reasons", F.when(unreadable, F.col("earlier")).otherwise(F.col("reasons")))


def settle(path: str, cleaned: DataFrame, frame: Frame, log: Log) -> None:
    """Let go of the records that nothing speaks against any more, and bring the others' reasons up to date."""
    # An object that was uploaded twice under two names holds the same records.
    judged = cleaned.select(*log.identity, "reasons").dropDuplicates([*log.identity])

    def write() -> None:
        table = (
            DeltaTable.forPath(cleaned.sparkSession, path).alias("old").merge(judged.alias("new"), _same(frame, log))
        )
        table = table.whenMatchedDelete("size(new.reasons) = 0")
        table.whenMatchedUpdate("old.reasons <> new.reasons", {"reasons": "new.reasons"}).execute()

    tables.retrying(write)


def _same(frame: Frame, log: Log) -> str:
    """SQL: `old` and `new` are the same record of this frame."""
    return " and ".join([f"old.frame = '{frame}'", *(f"old.{name} = new.{name}" for name in log.identity)])


def create(spark: SparkSession, path: str, log: Log) -> None:
    """An empty quarantine, where there is none."""
    place = ", ".join(f"`{name}` {kind}" for name, kind in log.place.items())
    schema = f"frame string, raw string, {place}, reasons array<string>, quarantined_at timestamp"

    tables.create_from(spark.createDataFrame([], schema), path, "frame")
