"""Do the tables hold what they must? Each line of the lake is accounted for, without using the code that cleaned it."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812

from settings import Frame
from spark_jobs.cleaning import FIELDS
from spark_jobs.errors import CheckError
from spark_jobs.lake import lines, read_objects
from spark_jobs.paths import Lake
from spark_jobs.tables import checkpoint_of


@dataclass(frozen=True)
class Account:
    """One frame's numbers. Of `lines`, each is in the table (`current`), replaced by a later record of its post (`superseded`), in
    `quarantine`, or lost. `waiting` counts objects that came after the last run."""

    rows: int
    null_inds: int
    inds: int
    lines: int
    current: int
    superseded: int
    quarantined: int
    quarantine: int
    waiting: int

    @property
    def lost(self) -> int:
        return self.lines - self.current - self.superseded - self.quarantined

    def __str__(self) -> str:
        waiting = f"; {self.waiting} newer objects wait for the next run" if self.waiting else ""
        return f"{self.rows} rows + {self.superseded} superseded + {self.quarantined} quarantined = {self.lines} lines read{waiting}"

    def faults(self) -> list[str]:
        """A sentence for everything that is wrong."""
        found = {
            "The table is empty.": self.rows == 0,
            f"{self.null_inds} rows have no ind.": self.null_inds > 0,
            f"{self.rows - self.null_inds - self.inds} rows repeat an ind.": self.rows - self.null_inds > self.inds,
            f"{self.lost} lines of the lake are neither in the table nor in quarantine.": self.lost > 0,
            f"{self.rows - self.current} rows come from no line of the lake.": self.rows > self.current,
            f"{self.quarantine - self.quarantined} records in quarantine come from no line of the lake.": (
                self.quarantine > self.quarantined
            ),
        }
        return [sentence for sentence, wrong in found.items() if wrong]


def check(spark: SparkSession, lake: Lake, topics: Mapping[Frame, str]) -> str:
    """Check every frame and give the accounts as one line. Raises `CheckError` with all faults, and `--full` as the remedy."""
    faults: list[str] = []
    accounts: list[str] = []
    # At the same time, as they are mostly waiting for S3.
    with ThreadPoolExecutor() as threads:
        under_way = {frame: threads.submit(_account_of, spark, lake, frame, topic) for frame, topic in topics.items()}
    for frame, future in under_way.items():
        found = future.result()
        if found is None:
            faults.append(f"{frame}: There is no table {lake.table(frame)}: nothing has been cleaned yet.")
            continue
        accounts.append(f"{frame}: {found}")
        faults += [f"{frame}: {fault}" for fault in found.faults()]
    if faults:
        raise CheckError(" ".join(faults) + " `clean <frame> --full` makes a table again from the lake.")
    return "; ".join(accounts)


def _account_of(spark: SparkSession, lake: Lake, frame: Frame, topic: str) -> Account | None:
    """None if there is no table."""
    checkpoint = checkpoint_of(spark, lake.table(frame))
    if checkpoint is None:
        return None
    return account(
        frame,
        table=spark.read.format("delta").load(lake.table(frame)),
        quarantine=spark.read.format("delta").load(lake.quarantine),
        objects=read_objects(spark, lake.objects(topic)),
        consumed=_consumed(spark, f"{lake.checkpoints(frame)}/{checkpoint}"),
        topic=topic,
    )


def account(
    frame: Frame, *, table: DataFrame, quarantine: DataFrame, objects: DataFrame, consumed: DataFrame, topic: str
) -> Account:
    """Count. `objects` as `lake.read_objects` gives them, `consumed` the `name` of those that a run has read."""
    # By name, as Spark's log and its metadata column spell the way there differently.
    named = objects.withColumn("name", _name("source"))
    read = named.join(consumed, "name", "left_semi")
    record = F.from_json("raw", f"`{FIELDS[frame][0]}` string")
    ind = record[FIELDS[frame][0]].try_cast("int").alias("ind")
    # An object that was uploaded twice under two names holds the same records.
    places = lines(read, topic).select("partition", "offset", ind).dropDuplicates(["partition", "offset"])

    ours = quarantine.where(F.col("frame") == frame)
    rejected = ours.select("partition", "offset", F.lit(True).alias("rejected"))
    held = table.select("ind", F.struct("source_offset", "source_partition").alias("held"))
    place = F.struct(F.col("offset").alias("source_offset"), F.col("partition").alias("source_partition"))
    fates = places.join(rejected, ["partition", "offset"], "left").join(held, "ind", "left")
    accepted = F.col("rejected").isNull()
    counts = fates.agg(
        F.count("*").alias("lines"),
        F.count_if(accepted & (F.col("held") == place)).alias("current"),
        F.count_if(accepted & (F.col("held") > place)).alias("superseded"),
        F.count_if(~accepted).alias("quarantined"),
    )
    rows = table.agg(
        F.count("*").alias("rows"),
        F.count_if(F.col("ind").isNull()).alias("null_inds"),
        F.count_distinct("ind").alias("inds"),
    )
    # From the listing alone: a query would open each object once more.
    listed = objects.sparkSession.createDataFrame([(path,) for path in objects.inputFiles()], "source string")
    waiting = listed.select(_name("source")).join(consumed, "name", "left_anti")
    return Account(
        **counts.collect()[0].asDict(), **rows.collect()[0].asDict(), quarantine=ours.count(), waiting=waiting.count()
    )


def _consumed(spark: SparkSession, checkpoint: str) -> DataFrame:
    """The objects that a checkpoint has read: the file source's own log, a line of JSON an object after a line with its version."""
    log = spark.read.text(f"{checkpoint}/sources/0").select(F.get_json_object("value", "$.path").alias("source"))
    return log.select(_name("source")).dropna().distinct()


def _name(path: str) -> Column:
    return F.substring_index(path, "/", -1).alias("name")
