"""A frame's table, one row for each `ind`: Delta, with the place in the log that each row came from.

The record that is last in its log wins (contract §6), and that is compared with the table as well as within a batch. So neither the order
of reading nor reading twice makes a difference.
"""

from collections.abc import Callable
from typing import TypeVar

from delta.exceptions import (
    ConcurrentAppendException,
    ConcurrentDeleteDeleteException,
    ConcurrentDeleteReadException,
    ConcurrentTransactionException,
    ConcurrentWriteException,
    MetadataChangedException,
    ProtocolChangedException,
)
from delta.tables import DeltaTable
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812

from settings import Frame
from spark_jobs.cleaning import COLUMNS, accepted, clean
from spark_jobs.logs import Log

CHECKPOINT = "pinterest.checkpoint"
"""The table property that names the checkpoint whose reading the table holds."""

CONFLICTS = (
    ConcurrentAppendException,
    ConcurrentDeleteDeleteException,
    ConcurrentDeleteReadException,
    ConcurrentTransactionException,
    ConcurrentWriteException,
    MetadataChangedException,
    ProtocolChangedException,
)
"""What Delta raises when another writer was faster. In Python they have no base class of their own, whatever its documentation says."""

_ATTEMPTS = 5

T = TypeVar("T")


def latest(cleaned: DataFrame, frame: Frame, log: Log) -> DataFrame:
    """The accepted row of each `ind` that is last in its log: the contract's columns, then its place, each as `source_…`."""
    places = [F.col(name).alias(f"source_{name}") for name in log.kept]
    rows = accepted(cleaned).select(*COLUMNS[frame], *places)
    last = F.max_by(F.struct(*rows.columns), F.expr(log.position())).alias("row")
    return rows.groupBy("ind").agg(last).select("row.*")


def create(spark: SparkSession, path: str, frame: Frame, log: Log) -> None:
    """An empty table, where there is none."""
    place = ", ".join(f"`{name}` {kind}" for name, kind in log.place.items())
    create_from(latest(clean(spark.createDataFrame([], f"raw string, {place}"), frame), frame, log), path)


def create_from(rows: DataFrame, path: str, *partitions: str) -> None:
    """A table of these rows, where there is none.

    Delta's own `createIfNotExists` fails for ever where a driver died while it made the table, and where another one makes it meanwhile.
    """
    write = rows.write.format("delta").mode("ignore").partitionBy(*partitions)
    retrying(lambda: write.save(path))


def replace(path: str, rows: DataFrame, checkpoint: str) -> None:
    """Start the table over with these rows, read by that checkpoint, in one commit."""
    rows.writeTo(f"delta.`{path}`").using("delta").tableProperty(CHECKPOINT, checkpoint).createOrReplace()


def merge(path: str, rows: DataFrame, log: Log) -> int:
    """Insert each row whose `ind` is new, and replace it where this one is later in its log. Gives the number of rows written."""
    later = f"{log.position('new.')} > {log.position('old.')}"

    def write() -> DataFrame:
        table = DeltaTable.forPath(rows.sparkSession, path).alias("old").merge(rows.alias("new"), "old.ind = new.ind")
        written: DataFrame = table.whenMatchedUpdateAll(later).whenNotMatchedInsertAll().execute()
        return written

    return int(retrying(write).collect()[0]["num_affected_rows"])


def checkpoint_of(spark: SparkSession, path: str) -> str | None:
    """The checkpoint that the table was read by; None if there is no table."""
    if not DeltaTable.isDeltaTable(spark, path):
        return None
    properties = DeltaTable.forPath(spark, path).detail().collect()[0]["properties"]
    return str(properties[CHECKPOINT]) if CHECKPOINT in properties else None


def retrying(action: Callable[[], T]) -> T:
    """Do it again if another writer was faster; at most five times, as each conflict means that one of us got on."""
    for _ in range(_ATTEMPTS - 1):
        try:
            return action()
        except CONFLICTS:
            continue
    return action()
