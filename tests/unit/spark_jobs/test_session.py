"""What the settings decide about S3."""

from settings import Settings
from spark_jobs.session import s3a


def settings(**values):
    return Settings(user_id="0a1b", **values)


def test_an_endpoint_of_ones_own_has_buckets_in_its_path():
    conf = s3a(settings(aws_endpoint_url="http://localstack:4566", aws_access_key_id="a", aws_secret_access_key="b"))
    assert conf == {
        "spark.hadoop.fs.s3a.endpoint.region": "us-east-1",
        "spark.hadoop.fs.s3a.endpoint": "http://localstack:4566",
        "spark.hadoop.fs.s3a.path.style.access": "true",
        "spark.hadoop.fs.s3a.access.key": "a",
        "spark.hadoop.fs.s3a.secret.key": "b",
    }


def test_aws_itself_needs_its_region_only():
    assert s3a(settings(aws_region="eu-west-1")) == {"spark.hadoop.fs.s3a.endpoint.region": "eu-west-1"}
