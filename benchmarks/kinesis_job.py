"""The part of benchmarks/throughput.py that runs in Spark: one stream from its beginning, read alone, then into a table. Prints a line of JSON."""

import json

from pyspark.sql.streaming.query import StreamingQuery

from settings import Frame, Settings
from spark_jobs import quarantine, tables
from spark_jobs.kinesis.source import KinesisDataSource
from spark_jobs.lake import Files
from spark_jobs.logs import KINESIS
from spark_jobs.paths import Lake
from spark_jobs.session import session
from spark_jobs.streaming import read_kinesis_stream, store_as_delta

FRAME: Frame = "pin"


def throughput(query: StreamingQuery) -> tuple[int, float]:
    """Records, and records/s while there were any: without the starting of Spark, with each batch's planning and bookkeeping."""
    batches = [batch for batch in query.recentProgress if batch.numInputRows]
    records = sum(batch.numInputRows for batch in batches)
    return records, 1000 * records / sum(batch.durationMs["triggerExecution"] for batch in batches)


def main() -> None:
    settings = Settings.load()
    spark = session(settings, "pinterest benchmark")
    spark.dataSource.register(KinesisDataSource)
    scratch = Lake(f"{Lake.of(settings).root}/benchmarks")
    Files(spark).delete(scratch.root)

    alone = read_kinesis_stream(spark, settings, FRAME).writeStream.format("noop").trigger(availableNow=True)
    source = alone.option("checkpointLocation", f"{scratch.root}/source").start()
    source.awaitTermination()

    tables.create(spark, scratch.stream_table(FRAME), FRAME, KINESIS)
    quarantine.create(spark, scratch.stream_quarantine, KINESIS)
    delta = store_as_delta(read_kinesis_stream(spark, settings, FRAME), scratch, FRAME, FRAME, {})
    delta.processAllAvailable()
    delta.stop()

    print(json.dumps({"source alone": throughput(source), "source to Delta": throughput(delta)}), flush=True)
    Files(spark).delete(scratch.root)


if __name__ == "__main__":
    main()
