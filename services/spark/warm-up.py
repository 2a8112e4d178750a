"""Runs once while the image is built: loads the classes that a job of ours loads, so that the JVM can keep them in an archive.

More than a third of a small job's time went into finding, checking and linking some sixteen thousand classes, in each JVM anew.
"""

import tempfile
from contextlib import suppress
from pathlib import Path

from delta.tables import DeltaTable
from py4j.protocol import Py4JJavaError
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812

ROWS = [("a", '{"ind": 1, "at": "2020-01-01 00:00:00", "n": "1.5"}'), ("b", '{"ind": 2, "at": "x", "n": "3"}')]


def rows(lines: DataFrame) -> DataFrame:
    """Text in, typed rows out, the last of each key."""
    parsed = lines.select(F.from_json("value", "ind string, at string, n string").alias("r"), F.lit(1).alias("o"))
    typed = parsed.select(
        F.col("r.ind").try_cast("int").alias("ind"),
        F.col("r.at").try_cast("timestamp").alias("at"),
        F.regexp_extract("r.n", r"^([0-9]+)", 1).try_cast("decimal(38,6)").alias("n"),
        "o",
    )
    return typed.groupBy("ind").agg(F.max_by(F.struct(*typed.columns), F.struct("o")).alias("row")).select("row.*")


def main(folder: Path) -> None:
    spark = SparkSession.builder.master("local[1]").getOrCreate()
    landed, table = folder / "landed", str(folder / "table")
    landed.mkdir()
    (landed / "1.json").write_text("\n".join(line for _, line in ROWS))

    def take(batch: DataFrame, number: int) -> None:
        new = rows(batch).persist()
        if number == 0:
            new.writeTo(f"delta.`{table}`").using("delta").tableProperty("warm", "up").createOrReplace()
        merging = DeltaTable.forPath(spark, table).alias("old").merge(new.alias("new"), "old.ind = new.ind")
        merging.whenMatchedUpdateAll("new.o > old.o").whenNotMatchedInsertAll().execute()
        new.unpersist()

    for _ in range(2):
        stream = spark.readStream.text(str(landed)).writeStream.foreachBatch(take)
        stream.option("checkpointLocation", str(folder / "checkpoint")).trigger(
            availableNow=True
        ).start().awaitTermination()
        (landed / "2.json").write_text(ROWS[0][1])
    read = spark.read.format("delta").load(table)
    read.join(read.groupBy("ind").agg(F.median("n"), F.count("*")), "ind").orderBy("ind").collect()
    with suppress(Py4JJavaError):  # nobody answers there, but all the classes of S3's client have been loaded
        spark.read.text("s3a://nobody/nothing").count()
    spark.stop()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        main(Path(folder))
