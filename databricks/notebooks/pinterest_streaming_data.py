# Databricks notebook source
# MAGIC %md
# MAGIC # The streaming path
# MAGIC Reads the three Kinesis streams, cleans the posts, and merges them into `<user_id>_pin_table`, `_geo_table` and `_user_table`.
# MAGIC
# MAGIC `trigger`: `always on` goes on until it is stopped; `what is there` ends when all has been read, and exits with JSON, each table's rows.
# MAGIC `lake` is where the tables and checkpoints are, the bucket itself where it is empty. **Two queries must not share a checkpoint**: while the streaming
# MAGIC job runs, give a folder of your own.

# COMMAND ----------

import json

from settings import FRAMES, Settings
from spark_jobs.paths import Lake
from spark_jobs.streaming import (
    ALWAYS_ON,
    WHAT_IS_THERE,
    prepare,
    provide_kinesis,
    read_kinesis_stream,
    store_as_delta,
)

dbutils.widgets.text("user_id", Settings.load().user_id)
dbutils.widgets.text("lake", "")
dbutils.widgets.dropdown("trigger", "always on", ["always on", "what is there"])
settings = Settings.load().model_copy(update={"user_id": dbutils.widgets.get("user_id")})
lake = Lake(dbutils.widgets.get("lake") or Lake.of(settings).root)
trigger = {"always on": ALWAYS_ON, "what is there": WHAT_IS_THERE}[dbutils.widgets.get("trigger")]

# COMMAND ----------

provide_kinesis(spark, settings)
prepare(spark, lake, settings)
for frame in FRAMES:
    records = read_kinesis_stream(spark, settings, frame)
    query = store_as_delta(records, lake, frame, settings.table(frame), {}, trigger)
    if trigger is WHAT_IS_THERE:  # one after the other, as a small cluster has no room for three
        query.awaitTermination()

# COMMAND ----------

if trigger is ALWAYS_ON:
    spark.streams.awaitAnyTermination()

# COMMAND ----------

tables = {frame: spark.read.format("delta").load(lake.stream_table(settings.table(frame))) for frame in FRAMES}
rows = {frame: table.count() for frame, table in tables.items()}
display(rows)
dbutils.notebook.exit(json.dumps(rows))
