"""The cloud differs from a laptop in its settings and in nothing else: no address stands in the code, and every client is AWS' own."""

import ast
import io
import ssl
import tokenize
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import boto3
import pytest
from dotenv import dotenv_values
from sqlalchemy import event

from emulator.source import AWSDBConnector
from settings import AWS, Settings
from spark_jobs.session import s3a
from stack import lake

ROOT = Path(__file__).parent.parent.parent.parent
SETTINGS = ROOT / "settings"
SERVICES = ("s3", "kinesis", "apigateway", "cloudformation", "ecr", "kafka", "kafkaconnect", "mwaa")


def test_both_files_have_the_same_keys_in_the_same_order() -> None:
    local, cloud = dotenv_values(SETTINGS / "local.env"), dotenv_values(SETTINGS / "aws.env.example")
    assert list(local) == list(cloud)
    assert len(local) > 25


def test_no_key_is_unknown_to_the_settings() -> None:
    assert {key.lower() for key in dotenv_values(SETTINGS / "local.env")} <= set(Settings.model_fields)


LOCAL = ("localhost", "127.0.0.1", ":4566", ":8082", ":8083", ":9092", ":3306")
ALLOWED = {
    ("stack/preflight.py", "127.0.0.1"),  # whether this machine's ports are free
    ("stack/checks.py", "localhost"),  # the name of a container without a network
    ("drills/faults.py", ":4566"),  # drills are for containers
}


def strings(file: Path) -> Iterator[str]:
    """Every string in the code that is no docstring."""
    tree = ast.parse(file.read_text())
    told = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in told:
            yield node.value


def test_no_module_outside_the_settings_names_a_local_address_or_the_test_key() -> None:
    folders = (
        "emulator",
        "stack",
        "audit",
        "drills",
        "cloud",
        "spark_jobs",
        "airflow",
        "localstack",
        "benchmarks",
        "databricks",
    )
    files = [file for folder in folders for file in (ROOT / folder).rglob("*.py")]
    assert len(files) > 60
    named = {
        (str(file.relative_to(ROOT)), word)
        for file in files
        for text in strings(file)
        for word in LOCAL
        if word in text
    }
    assert named == ALLOWED
    for file in files:
        words = [token.string for token in tokenize.generate_tokens(io.StringIO(file.read_text()).readline)]
        for name, sign, value in zip(words, words[1:], words[2:], strict=False):
            assert not ("key" in name.lower() and sign in "=:" and value == '"test"'), f"{file}: {name} is the test key"


@pytest.fixture
def cloud(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """As a person has filled in the example."""
    authority = ssl.get_default_verify_paths().openssl_cafile
    filled = {
        "USER_ID": "abc",
        "MYSQL_HOST": "pinterest-abc.example.eu-west-1.rds.amazonaws.com",
        "MYSQL_PASSWORD": "secret",
        "MYSQL_TLS_CA": authority,
        "AWS_REGION": "eu-west-1",
        "API_URL": "https://example.execute-api.eu-west-1.amazonaws.com/prod",
        "API_KEY": "key",
        "KAFKA_BOOTSTRAP_SERVERS": "b-1.example.kafka.eu-west-1.amazonaws.com:9098",
        "MWAA_ENVIRONMENT": "pinterest-abc",
    }
    lines = (SETTINGS / "aws.env.example").read_text().splitlines()
    filed = [f"{key}={filled.get(key, line.partition('=')[2])}" for line in lines if (key := line.partition("=")[0])]
    (tmp_path / "aws.env").write_text("\n".join(line for line in filed if not line.startswith("#")))
    # What a laptop's own .env and shell hold must not get in.
    (tmp_path / ".env").write_text("AWS_ENDPOINT_URL=http://localhost:4566\nMYSQL_HOST=localhost\n")
    monkeypatch.setenv("PIPELINE_ENV_FILE", str(tmp_path / ".env"))
    monkeypatch.setattr("settings._HERE", tmp_path)
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "example")
    return Settings.load(AWS)


@pytest.mark.parametrize("service", SERVICES)
def test_every_client_speaks_to_aws_by_tls(cloud: Settings, service: str) -> None:
    client = boto3.client(service, **cloud.client_options(service))  # type: ignore[call-overload]
    address = urlsplit(client.meta.endpoint_url)
    assert address.scheme == "https"
    assert str(address.hostname).endswith((".eu-west-1.amazonaws.com", ".eu-west-1.api.aws"))


def test_s3_has_a_host_for_each_bucket(cloud: Settings) -> None:
    s3 = boto3.client("s3", **cloud.client_options("s3"))
    url = s3.generate_presigned_url("get_object", Params={"Bucket": cloud.bucket, "Key": "topics/x"})
    assert urlsplit(url).hostname == "user-abc-bucket.s3.amazonaws.com"


def test_credentials_are_the_sdks_own(cloud: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    assert cloud.aws_credentials == {}
    assert "aws_access_key_id" not in cloud.client_options("s3")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "session")
    assert lake._credentials(cloud) == {
        "aws_access_key_id": "AKIAEXAMPLE",
        "aws_secret_access_key": "example",
        "aws_session_token": "session",
    }


def test_kafka_is_spoken_to_with_tokens_of_iam_over_tls(cloud: Settings) -> None:
    options = cloud.kafka_options()
    assert options["security.protocol"] == "SASL_SSL"
    assert options["sasl.mechanisms"] == "OAUTHBEARER"
    token, _ = options["oauth_cb"]("")
    assert token


def test_spark_takes_s3_as_it_is(cloud: Settings) -> None:
    assert s3a(cloud) == {"spark.hadoop.fs.s3a.endpoint.region": "eu-west-1"}
    assert not cloud.spark_master_url


def test_mysql_is_encrypted_and_its_host_checked(cloud: Settings) -> None:
    engine, seen = AWSDBConnector(cloud).create_db_connector(), []

    class NoNetworkError(Exception):
        pass

    @event.listens_for(engine, "do_connect")
    def stop(_dialect: object, _record: object, _arguments: object, options: dict[str, object]) -> None:
        seen.append(options)
        raise NoNetworkError

    with pytest.raises(NoNetworkError):
        engine.connect()
    assert seen[0]["ssl_verify_identity"] is True
    assert seen[0]["ssl_ca"] == cloud.mysql_tls_ca
