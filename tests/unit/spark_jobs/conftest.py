"""One Spark session for all of these tests. They run where Spark is: inside its image (see services/spark/test.Dockerfile)."""

import itertools
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession

Raw = Callable[..., DataFrame]
Land = Callable[..., Path]

TOPIC = "0a1b.pin"
CHECKPOINT_FILES = "org.apache.spark.sql.execution.streaming.checkpointing.FileSystemBasedCheckpointFileManager"


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    session = (
        SparkSession.builder.master("local[1]")
        .appName("unit tests")
        .config("spark.ui.enabled", False)
        .config("spark.sql.shuffle.partitions", 1)
        # On local files Hadoop's other way to rename starts a process each time.
        .config("spark.sql.streaming.checkpointFileManagerClass", CHECKPOINT_FILES)
        .config("spark.delta.logStore.file.impl", "io.delta.storage.LocalLogStore")
        .config("spark.sql.warehouse.dir", str(tmp_path_factory.mktemp("warehouse")))
        .getOrCreate()
    )
    yield session
    session.stop()


@pytest.fixture(scope="session")
def raw(spark: SparkSession) -> Raw:
    """Raw records, in the order of their offsets in partition 0. What is not text or bytes is written as JSON."""

    def make(*records: Any) -> DataFrame:
        texts = [record if isinstance(record, str | bytes) else json.dumps(record) for record in records]
        rows = [
            (text.encode(errors="surrogatepass") if isinstance(text, str) else text, "object", TOPIC, 0, offset)
            for offset, text in enumerate(texts)
        ]
        frame = spark.createDataFrame(rows, "raw binary, source string, topic string, partition int, `offset` bigint")
        return frame.withColumn("raw", frame.raw.cast("string"))

    return make


@pytest.fixture
def land(tmp_path: Path) -> Land:
    """Land an object as the sink does: its lines, its partition and its first offset. Each is a second newer than the one before."""
    ages = itertools.count(1_800_000_000)

    def write(*lines: Any, partition: int = 0, start: int = 0, topic: str = TOPIC) -> Path:
        folder = tmp_path / "topics" / topic / f"partition={partition}"
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / f"{topic}+{partition}+{start:010}.json"
        texts = [line if isinstance(line, str | bytes) else json.dumps(line) for line in lines]
        file.write_bytes(b"".join((t if isinstance(t, bytes) else t.encode()) + b"\n" for t in texts))
        # Objects are read in the order of their times, and two may be written within a tick.
        os.utime(file, (next(ages),) * 2)
        return file

    return write
