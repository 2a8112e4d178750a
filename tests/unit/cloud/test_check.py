"""What a person's settings lack, in sentences."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from cloud import check
from settings import Settings


@pytest.fixture
def whole(tmp_path: Path) -> Settings:
    """Nothing is missing."""
    authority = tmp_path / "rds.pem"
    authority.write_text("authority")
    return Settings(
        user_id="abc",
        vpc_id="vpc-0a1b",
        subnet_ids="subnet-0a,subnet-0b,subnet-0c",
        kafka_security="IAM",
        databricks_url="https://dbc-1.cloud.databricks.com",
        databricks_token=SecretStr("token"),
        databricks_cluster_id="0923-1",
        batch_job_file="/Workspace/pipeline/spark_jobs/batch.py",
        mysql_host="db.example",
        mysql_password=SecretStr("secret"),
        mysql_tls_ca=str(authority),
        api_url="https://example.execute-api.us-east-1.amazonaws.com/prod",
        api_key=SecretStr("key"),
        kafka_bootstrap_servers="b-1.example:9098",
        mwaa_environment="pinterest-abc",
    )


def test_nothing_is_said_where_nothing_is_missing(whole: Settings) -> None:
    assert check.to_deploy(whole) == []
    assert check.to_run(whole) == []


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"vpc_id": ""}, "VPC_ID"),
        ({"subnet_ids": "subnet-0a,subnet-0b"}, "SUBNET_IDS"),
        ({"subnet_ids": "subnet-0a,subnet-0a,subnet-0b"}, "SUBNET_IDS"),
        ({"subnet_ids": "10.0.0.0/24,a,b"}, "SUBNET_IDS"),
        ({"aws_endpoint_url": "http://elsewhere"}, "AWS_ENDPOINT_URL"),
        ({"aws_access_key_id": "AKIA"}, "AWS_SECRET_ACCESS_KEY"),
        ({"kafka_security": "PLAINTEXT"}, "KAFKA_SECURITY"),
        ({"databricks_url": "http://dbc-1"}, "DATABRICKS_URL"),
        ({"databricks_token": SecretStr("")}, "DATABRICKS_TOKEN"),
        ({"databricks_cluster_id": ""}, "DATABRICKS_CLUSTER_ID"),
        ({"batch_job_file": ""}, "BATCH_JOB_FILE"),
        ({"user_id": "a" * 21}, "USER_ID"),
        ({"user_id": "Abc"}, "USER_ID"),
    ],
)
def test_what_keeps_it_from_being_deployed(whole: Settings, change: dict[str, object], named: str) -> None:
    (fault,) = check.to_deploy(whole.model_copy(update=change))
    assert named in fault
    assert fault.endswith(".")


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"mysql_host": ""}, "MYSQL_HOST"),
        ({"mysql_password": SecretStr("")}, "MYSQL_PASSWORD"),
        ({"mysql_tls_ca": ""}, "MYSQL_TLS_CA"),
        ({"mysql_tls_ca": "/nowhere.pem"}, "MYSQL_TLS_CA"),
        ({"api_url": ""}, "API_URL"),
        ({"api_url": "http://example"}, "API_URL"),
        ({"api_key": SecretStr("")}, "API_KEY"),
        ({"kafka_bootstrap_servers": ""}, "KAFKA_BOOTSTRAP_SERVERS"),
        ({"kafka_bootstrap_servers": "b-1.x.kafka.eu-west-1.amazonaws.com:9098"}, "AWS_REGION"),
        ({"mysql_host": "pinterest-abc.x.eu-west-1.rds.amazonaws.com"}, "AWS_REGION"),
        ({"aws_region": "eu-west-1"}, "API_URL"),
        ({"mwaa_environment": ""}, "MWAA_ENVIRONMENT"),
        ({"airflow_url": "http://airflow"}, "AIRFLOW_URL"),
        ({"connect_url": "http://connect"}, "CONNECT_URL"),
    ],
)
def test_what_keeps_it_from_being_used(whole: Settings, change: dict[str, object], named: str) -> None:
    (fault,) = check.to_run(whole.model_copy(update=change))
    assert named in fault


def test_it_is_said_what_would_be_made(whole: Settings) -> None:
    made = check.would_create(whole)
    assert list(made) == ["pinterest-abc-artifacts", "pinterest-abc-stores", "pinterest-abc"]
    assert made["pinterest-abc-stores"]["AWS::MSK::Cluster"] == 1
    assert made["pinterest-abc"]["AWS::Kinesis::Stream"] == 3
