"""The Spark session. What is the same everywhere stands in `services/spark/spark-defaults.conf`; here is what the environment decides."""

from pyspark.sql import SparkSession

from settings import Settings


def s3a(settings: Settings) -> dict[str, str]:
    """Hadoop's settings for `s3a://`: region, endpoint and credentials, as far as the settings name them."""
    conf = {"spark.hadoop.fs.s3a.endpoint.region": settings.aws_region}
    if settings.s3_endpoint_url:
        # Only AWS has a host name for each bucket.
        conf["spark.hadoop.fs.s3a.endpoint"] = settings.s3_endpoint_url
        conf["spark.hadoop.fs.s3a.path.style.access"] = "true"
    if settings.aws_credentials:
        conf["spark.hadoop.fs.s3a.access.key"] = settings.aws_credentials["aws_access_key_id"]
        conf["spark.hadoop.fs.s3a.secret.key"] = settings.aws_credentials["aws_secret_access_key"]
    return conf


def session(settings: Settings, app: str) -> SparkSession:
    """A session on the settings' cluster; where they name none (Databricks, EMR), on the platform's own."""
    builder = SparkSession.builder.appName(app)
    if settings.spark_master_url:
        builder = builder.master(settings.spark_master_url)
    for name, value in s3a(settings).items():
        builder = builder.config(name, value)
    return builder.getOrCreate()
