"""The raw objects that Kafka Connect landed (contract §5), as records with their place in the log."""

from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812

OBJECTS = "*+*+*.json"
"""The names a sink gives: `<topic>+<partition>+<first offset>.json`."""

_NAME = r"\+([0-9]+)\+([0-9]+)\.json$"
_BYTES_PER_TRIGGER = 64 * 1024**2
"""So much of a backlog is merged at a time: it fits into one small executor several times over."""


def stream_objects(spark: SparkSession, path: str) -> DataFrame:
    """The objects under `path` that a stream has not seen yet: `value` (the whole text) and `source` (the object's path)."""
    reader = spark.readStream.option("maxBytesPerTrigger", _BYTES_PER_TRIGGER)
    return _objects(reader.text(path, wholetext=True, pathGlobFilter=OBJECTS))


def read_objects(spark: SparkSession, path: str) -> DataFrame:
    """All objects under `path`, in the same form."""
    return _objects(spark.read.text(path, wholetext=True, pathGlobFilter=OBJECTS))


def _objects(files: DataFrame) -> DataFrame:
    return files.select("value", F.col("_metadata.file_path").alias("source"))


def lines(objects: DataFrame, topic: str) -> DataFrame:
    """One record a line: `raw` (string), `source`, `topic`, `partition` (int), `offset` (bigint).

    An object's lines are contiguous in the log, and its name says where it starts (contract §5). An empty line has an offset too.
    """
    # Spark's split would replace bytes that are not UTF-8, unseen. In Latin-1 each byte is a character, and back again.
    content = F.decode(F.col("value").cast("binary"), "ISO-8859-1")
    records = F.split(F.regexp_replace(content, r"\n\z", ""), "\n")
    positions = objects.where(F.length("value") > 0).select("source", F.posexplode(records).alias("position", "line"))
    first = F.regexp_extract("source", _NAME, 2).cast("bigint")
    return positions.select(
        F.encode("line", "ISO-8859-1").cast("string").alias("raw"),
        "source",
        F.lit(topic).alias("topic"),
        F.regexp_extract("source", _NAME, 1).cast("int").alias("partition"),
        (first + F.col("position")).alias("offset"),
    )


class Files:
    """The few things a job does with files themselves, by Hadoop's file system: `s3a://` or a local folder."""

    def __init__(self, spark: SparkSession) -> None:
        self._jvm: Any = spark._jvm
        self._conf: Any = spark._jsc.hadoopConfiguration()

    def exists(self, path: str) -> bool:
        file, fs = self._open(path)
        return bool(fs.exists(file))

    def children(self, path: str) -> list[str]:
        """The names in a folder; none if there is no such folder."""
        file, fs = self._open(path)
        return [status.getPath().getName() for status in fs.listStatus(file)] if fs.exists(file) else []

    def delete(self, path: str) -> None:
        """Delete a file, or a folder with all that is in it."""
        file, fs = self._open(path)
        fs.delete(file, True)

    def _open(self, path: str) -> tuple[Any, Any]:
        file = self._jvm.org.apache.hadoop.fs.Path(path)
        return file, file.getFileSystem(self._conf)
