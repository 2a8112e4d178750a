# Databricks notebook source
# MAGIC %md
# MAGIC # Who are we for AWS?
# MAGIC Included by `mount_s3_bucket`. Sets `keys`: the access key by which the bucket is mounted, or `None`, so that the cluster's own identity counts.
# MAGIC
# MAGIC | `credentials` | where the key is |
# MAGIC |---|---|
# MAGIC | `instance profile` | nowhere: the cluster has a role |
# MAGIC | `secrets` | in the secret scope `pinterest`, as `aws-access-key-id` and `aws-secret-access-key` |
# MAGIC | `table` | in the Delta table `authentication_credentials`, as in the original: whoever may run a notebook can read it there |

# COMMAND ----------

dbutils.widgets.dropdown("credentials", "instance profile", ["instance profile", "secrets", "table"])

# COMMAND ----------

from spark_jobs.credentials import Keys, keys_in_table

credentials = dbutils.widgets.get("credentials")
if credentials == "instance profile":
    keys = None
elif credentials == "secrets":
    keys = Keys(*(dbutils.secrets.get("pinterest", key) for key in ("aws-access-key-id", "aws-secret-access-key")))
elif credentials == "table":
    keys = keys_in_table(spark)
else:
    raise ValueError(f"credentials is {credentials!r}, where 'instance profile', 'secrets' or 'table' is expected.")
