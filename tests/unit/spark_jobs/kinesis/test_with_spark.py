"""A query on a real session, with a checkpoint that outlives it."""

import pytest
from pyspark.errors import PySparkException

from spark_jobs.kinesis.positions import sequence_numbers
from spark_jobs.kinesis.source import KinesisDataSource

from .far_side import Kinesis, Server


@pytest.fixture
def stream():
    kinesis = Kinesis(2)
    server = Server(kinesis)
    yield kinesis, server.url
    server.close()


def load(spark, url, **options):
    spark.dataSource.register(KinesisDataSource)
    given = {"streamName": "posts", "region": "eu-west-1", "endpointUrl": url, "initialPosition": "trim_horizon"}
    given |= {"awsAccessKey": "AKIDTEST", "awsSecretKey": "hush", "maxRecordsPerTrigger": "10"}
    return spark.readStream.format("kinesis").options(**given | options).load()


def run(frame, folder, batches=None, fail_at=None):
    """Read what there is, into `batches`; the batch `fail_at` is read and then fails. The query, when it has ended."""

    def take(rows, number):
        found = rows.collect()
        if number == fail_at:
            raise ValueError("as asked for")
        if batches is not None:
            assert number not in batches
            batches[number] = found

    query = (
        frame.writeStream.foreachBatch(take)
        .option("checkpointLocation", str(folder))
        .trigger(availableNow=True)
        .start()
    )
    query.awaitTermination()
    return query


def test_each_record_once_over_a_failure_a_reshard_and_restarts(spark, stream, tmp_path):
    kinesis, url = stream
    expected, batches = [], {}

    def put(*shards):
        for shard in shards:
            expected.append(kinesis.put(f"post {len(expected)}", shard=shard, ago=1000))

    put(*[0, 1] * 12)
    with pytest.raises(PySparkException, match="as asked for"):
        run(load(spark, url), tmp_path, batches, fail_at=1)
    assert [len(rows) for rows in batches.values()] == [10]
    kinesis.reshard(0)
    put(1, 1, 1, 2, 3)
    query = run(load(spark, url), tmp_path, batches)
    assert [len(batches[number]) for number in (0, 1)] == [10, 10]
    assert max(len(rows) for rows in batches.values()) <= 10
    put(1, 2, 3)
    query = run(load(spark, url), tmp_path, batches)
    rows = [row for found in batches.values() for row in found]
    assert sorted(row.sequenceNumber for row in rows) == expected
    assert {row.shardId[-1] for row in rows} == set("0123")
    ends = sequence_numbers(query.lastProgress["sources"][0]["endOffset"])
    assert ends["shardId-000000000000"][0] == "end"
    assert ends["shardId-000000000001"] == ("after", expected[-3])


def test_columns_and_an_empty_stream(spark, stream, tmp_path):
    kinesis, url = stream
    frame = load(spark, url, initialPosition="latest")
    assert frame.schema.simpleString() == (
        "struct<partitionKey:string,data:binary,stream:string,shardId:string,sequenceNumber:string,"
        "approximateArrivalTimestamp:timestamp,subSequenceNumber:int>"
    )
    batches = {}
    run(frame, tmp_path, batches)
    assert sum(map(len, batches.values())) == 0
    kinesis.put(b"\xff\x00", shard=1, key="k")
    run(load(spark, url, initialPosition="latest"), tmp_path, batches)
    (row,) = [row for rows in batches.values() for row in rows]
    assert (row.partitionKey, bytes(row.data), row.stream, row.subSequenceNumber) == ("k", b"\xff\x00", "posts", 0)


def test_a_bad_option_is_a_sentence(spark):
    with pytest.raises(PySparkException, match=r"maxFetchDuration is 'soon'\. Give a number and a unit"):
        load(spark, "http://127.0.0.1:9", maxFetchDuration="soon")
