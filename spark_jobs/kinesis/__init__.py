"""The streaming source `kinesis` for Spark's Python Data Source API, with the option names and columns of Databricks' own.

    from spark_jobs.kinesis.source import KinesisDataSource
    spark.dataSource.register(KinesisDataSource)
    spark.readStream.format("kinesis").option("streamName", "posts").load()

`options` says what may be asked, `positions` what an offset is (both pure), `api` talks to Kinesis, `cursor` reads one shard, `rows` makes
rows of records, and `source` is what Spark calls. Driver and workers import it, so it must be on their PYTHONPATH.
"""
