"""The keys by which a workspace mounts the bucket, where it needs any: with an instance profile it does not.

They can be kept as secrets, or as the original keeps them, in the Delta table `authentication_credentials` (contract §8). docs/databricks.md
says why that is not the default.
"""

from dataclasses import dataclass, field
from urllib.parse import quote

from delta.tables import DeltaTable
from pyspark.sql import SparkSession

from spark_jobs.errors import CredentialsError

TABLE = "dbfs:/user/hive/warehouse/authentication_credentials"
COLUMNS = ("Access key ID", "Secret access key")
"""The table's columns: those of the file in which AWS gives out a key."""


@dataclass(frozen=True)
class Keys:
    """An AWS access key."""

    access_key: str
    secret_key: str = field(repr=False)

    @property
    def encoded_secret_key(self) -> str:
        """The secret key as it can stand in a URL: it may hold slashes and pluses."""
        return quote(self.secret_key, safe="")


def keys_in_table(spark: SparkSession, path: str = TABLE) -> Keys:
    """The keys in the one row of the table. Raises `CredentialsError`."""
    if not DeltaTable.isDeltaTable(spark, path):
        raise CredentialsError(f"There is no table {path}. It holds one row with the columns {', '.join(COLUMNS)}.")
    table = spark.read.format("delta").load(path)
    if missing := [name for name in COLUMNS if name not in table.columns]:
        raise CredentialsError(f"The table {path} lacks {', '.join(missing)}; it has {', '.join(table.columns)}.")
    rows = table.select(*COLUMNS).limit(2).collect()
    if len(rows) != 1 or not all(rows[0]):
        raise CredentialsError(f"The table {path} must hold one row with both keys, and nothing else.")
    return Keys(*rows[0])


def bucket_url(bucket: str, keys: Keys | None) -> str:
    """What `dbutils.fs.mount` takes for the bucket; without keys, the cluster's own identity counts."""
    return f"s3a://{keys.access_key}:{keys.encoded_secret_key}@{bucket}" if keys else f"s3a://{bucket}"
