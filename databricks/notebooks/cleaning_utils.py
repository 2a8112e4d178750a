# Databricks notebook source
# MAGIC %md
# MAGIC # Cleaning
# MAGIC Included by `pinterest_batch_data`. The functions are those of the package, which the daily job uses as well.

# COMMAND ----------

from pyspark.sql import DataFrame

from settings import Frame
from spark_jobs.cleaning import clean_df_geo, clean_df_pin, clean_df_user, parse
from spark_jobs.lake import lines, read_objects
from spark_jobs.logs import KAFKA
from spark_jobs.paths import Lake
from spark_jobs.tables import latest

# COMMAND ----------


def read_topic(lake: Lake, topic: str, frame: Frame) -> DataFrame:
    """All that has landed of a topic, taken apart into the frame's fields, which are text."""
    return parse(lines(read_objects(spark, lake.objects(topic)), topic), frame)


def each_once(cleaned: DataFrame, frame: Frame) -> DataFrame:
    """Of each post the row that counts: accepted, and the last in its log."""
    return latest(cleaned, frame, KAFKA)
