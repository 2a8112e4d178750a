"""The records that could not become rows, whole and with every reason (contract §6).

One table for all frames, partitioned by frame: three jobs may write at once without conflict.
"""

from delta.tables import DeltaTable
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812

from settings import Frame
from spark_jobs.cleaning import rejected
from spark_jobs.tables import retrying

SCHEMA = (
    "frame string, raw string, source string, topic string, partition int, `offset` bigint, "
    "reasons array<string>, quarantined_at timestamp"
)


def quarantined(cleaned: DataFrame, frame: Frame) -> DataFrame:
    """The rejected records in the quarantine's columns. Bytes that are not UTF-8 become U+FFFD; the object still has them."""
    return rejected(cleaned).select(
        F.lit(frame).alias("frame"),
        F.make_valid_utf8("raw").alias("raw"),
        "source",
        "topic",
        "partition",
        "offset",
        "reasons",
        F.current_timestamp().alias("quarantined_at"),
    )


def replace(path: str, records: DataFrame, frame: Frame) -> None:
    """Start a frame's quarantine over."""
    _create(records.sparkSession, path)
    overwrite = records.write.format("delta").mode("overwrite").option("replaceWhere", f"frame = '{frame}'")
    retrying(lambda: overwrite.save(path))


def insert(path: str, records: DataFrame, frame: Frame) -> None:
    """Insert the records that are not there yet."""
    _create(records.sparkSession, path)
    same = (
        f"old.frame = '{frame}' and old.topic = new.topic and old.partition = new.partition and old.offset = new.offset"
    )

    def write() -> None:
        table = DeltaTable.forPath(records.sparkSession, path).alias("old").merge(records.alias("new"), same)
        table.whenNotMatchedInsertAll().execute()

    retrying(write)


def _create(spark: SparkSession, path: str) -> None:
    def write() -> None:
        table = DeltaTable.createIfNotExists(spark).location(path).partitionedBy("frame")
        table.addColumns(spark.createDataFrame([], SCHEMA).schema).execute()

    retrying(write)
