# Databricks notebook source
# MAGIC %md
# MAGIC # The batch path, to look at
# MAGIC Reads the raw posts from the mounted bucket, cleans them, and answers the eight questions. It writes nothing: the tables are the
# MAGIC daily job's. Exits with JSON: `rows`, the number of posts in each frame, and `answers`, every answer's rows.

# COMMAND ----------

# MAGIC %run ./cleaning_utils

# COMMAND ----------

import json

from settings import Settings
from spark_jobs.questions import QUESTIONS

dbutils.widgets.text("user_id", Settings.load().user_id)
dbutils.widgets.dropdown("credentials", "instance profile", ["instance profile", "secrets", "table"])
settings = Settings.load().model_copy(update={"user_id": dbutils.widgets.get("user_id")})

# COMMAND ----------

lake = Lake(dbutils.notebook.run("./mount_s3_bucket", 300, dbutils.widgets.getAll()))

# COMMAND ----------

# MAGIC %md ## Clean

# COMMAND ----------

df_pin = each_once(clean_df_pin(read_topic(lake, settings.topic("pin"), "pin")), "pin").cache()
display(df_pin)

# COMMAND ----------

df_geo = each_once(clean_df_geo(read_topic(lake, settings.topic("geo"), "geo")), "geo").cache()
display(df_geo)

# COMMAND ----------

df_user = each_once(clean_df_user(read_topic(lake, settings.topic("user"), "user")), "user").cache()
display(df_user)

# COMMAND ----------

# MAGIC %md ## The eight questions

# COMMAND ----------

answers = {}
for name, question in QUESTIONS.items():
    answer = question(df_pin, df_geo, df_user).cache()
    print(name, question.__doc__)
    display(answer)
    answers[name] = [row.asDict() for row in answer.collect()]
    answer.unpersist()

# COMMAND ----------

rows = {"pin": df_pin.count(), "geo": df_geo.count(), "user": df_user.count()}
for frame in (df_pin, df_geo, df_user):
    frame.unpersist()
dbutils.notebook.exit(json.dumps({"rows": rows, "answers": answers}))
