# Databricks notebook source
# MAGIC %md
# MAGIC # Mount the bucket
# MAGIC Under `/mnt/user-<user_id>-bucket`, unless it is mounted there already. Exits with that path.

# COMMAND ----------

# MAGIC %run ./pinterest_authenticate_aws

# COMMAND ----------

from settings import Settings
from spark_jobs.credentials import bucket_url

dbutils.widgets.text("user_id", Settings.load().user_id)
settings = Settings.load().model_copy(update={"user_id": dbutils.widgets.get("user_id")})

# COMMAND ----------

mount_point = f"/mnt/{settings.bucket}"
if mount_point not in [mount.mountPoint for mount in dbutils.fs.mounts()]:
    dbutils.fs.mount(bucket_url(settings.bucket, keys), mount_point)
display(dbutils.fs.ls(mount_point))

# COMMAND ----------

dbutils.notebook.exit(mount_point)
