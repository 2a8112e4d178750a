"""Every endpoint, name and credential of the pipeline, read in this one place.

`PIPELINE_ENV` chooses the settings file beside this module:

- `local` (the default): from the host, through the ports that `.env` publishes;
- `container`: inside the Compose network, by service name; `.env` is not there, Compose passes what is needed;
- `aws`: the cloud. `aws.env` is a person's own copy of `aws.env.example`, which has the lines of `local.env` with other values.

A value comes from the settings file, else from `.env` (this machine's, so not for the cloud), else from the process environment, else from the
default below. Files win over the environment so that an `AWS_REGION` that a shell happens to export cannot redirect a local run.
"""

import os
from collections.abc import Sequence
from functools import cached_property
from io import StringIO
from pathlib import Path
from typing import Any, Literal

from dotenv import dotenv_values
from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

Frame = Literal["pin", "geo", "user"]

FRAMES: tuple[Frame, ...] = ("pin", "geo", "user")
"""The three records of a post, in the order in which they are sent."""

_HERE = Path(__file__).parent


AWS = "aws"
"""The environment that is not on this machine."""


class SettingsError(Exception):
    """A setting is missing or has an impossible value. The message names it and the file to look in."""


def env_file() -> Path:
    """The file of this machine's ports and secrets: `.env`, or the one that `PIPELINE_ENV_FILE` names."""
    return Path(os.environ.get("PIPELINE_ENV_FILE", _HERE.parent / ".env"))


def current_environment() -> str:
    """`local`, `container` or `aws`."""
    return os.environ.get("PIPELINE_ENV") or "local"


def _file_values(files: Sequence[Path]) -> dict[str, str]:
    """The files as one text, so that a later one can refer to an earlier one: `${LOCALSTACK_PORT}`."""
    texts = [file.read_text() for file in files if file.is_file()]
    values = dotenv_values(stream=StringIO("\n".join(texts)))
    return {name.lower(): value for name, value in values.items() if value}


class Settings(BaseSettings):
    """One environment's settings. Raises `SettingsError` by way of `load`."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True, env_ignore_empty=True)

    user_id: str = Field(pattern=r"^[A-Za-z0-9]+$")

    mysql_host: str = ""
    mysql_port: int = 3306
    mysql_database: str = "pinterest_data"
    mysql_user: str = "emulator"
    mysql_password: SecretStr = SecretStr("")
    mysql_tls_ca: str = ""
    """The file of the authority that signed MySQL's certificate. With it, the connection is encrypted and the host checked."""

    aws_region: str = "us-east-1"
    aws_endpoint_url: str | None = None
    aws_endpoint_url_s3: str | None = None
    aws_access_key_id: str | None = None
    aws_secret_access_key: SecretStr | None = None
    api_url: str = ""
    api_key: SecretStr = SecretStr("")
    """What the API Gateway asks for; none where it is open."""

    kafka_bootstrap_servers: str = ""
    kafka_security: Literal["PLAINTEXT", "IAM"] = "PLAINTEXT"
    """`IAM` is MSK's: TLS, and a token signed with AWS' credentials."""
    connect_url: str = ""
    rest_proxy_url: str = ""
    spark_master_url: str = ""
    spark_url: str = ""
    streaming_url: str = ""
    cluster_url: str = ""

    databricks_url: str = ""
    databricks_public_url: str = ""
    databricks_token: SecretStr = SecretStr("")
    databricks_cluster_id: str = ""
    batch_job_file: str = ""

    quarantine_max_share: float = Field(default=0.2, ge=0, le=1)
    """Of the records that are read. When more are bad, the batch refuses them and the streaming job raises an alarm (spark_jobs/limit.py)."""
    quarantine_min_records: int = Field(default=100, ge=1)
    """Fewer bad records than these are always taken."""

    airflow_url: str = ""
    airflow_user: str = "admin"
    airflow_password: SecretStr = SecretStr("")
    mwaa_environment: str = ""
    """The MWAA environment's name; none where Airflow answers at `airflow_url`."""

    sink_class: str = "pinterest.connect.s3.S3SinkConnector"
    """Ours, or Confluent's `io.confluent.connect.s3.S3SinkConnector`, which docker-compose.confluent.yml brings."""
    sink_rotate_interval_ms: int = Field(default=2000, gt=0)
    """How long the S3 sink lets an object grow. A laptop wants to see its posts within seconds; in the cloud larger objects are cheaper."""

    vpc_id: str = ""
    subnet_ids: str = ""
    """Where `make deploy` puts what it makes: three private subnets, with commas between."""

    @classmethod
    def load(cls, environment: str | None = None) -> "Settings":
        """Read the settings of `environment`, by default the current `PIPELINE_ENV`.

        Raises `SettingsError` with what is missing or impossible.
        """
        environment = environment or current_environment()
        file = _HERE / f"{environment}.env"
        # Those of the process are the SDK's to find: it knows of a session's token as well, and when to ask for new ones.
        no_credentials = {"aws_access_key_id": None, "aws_secret_access_key": None}
        values = _file_values([file] if environment == AWS else [env_file(), file])
        try:
            return cls(**(no_credentials | values))  # type: ignore[arg-type]  # pydantic makes each of its field's type
        except ValidationError as error:
            faults = "; ".join(f"{'.'.join(map(str, e['loc'])).upper()}: {e['msg']}" for e in error.errors())
            where, remedy = (
                (f"{file}", f"It is a copy of {file.name}.example with values of your own.")
                if environment == AWS
                else (f"{env_file()} and {file}", "`make up` writes a .env where there is none.")
            )
            raise SettingsError(f"The settings in {where} cannot be used ({faults}). {remedy}") from error

    def topic(self, frame: Frame) -> str:
        """The Kafka topic of a frame, `<user_id>.pin` (contract §2)."""
        return f"{self.user_id}.{frame}"

    def stream(self, frame: Frame) -> str:
        """The Kinesis stream of a frame, `streaming-<user_id>-pin` (contract §2)."""
        return f"streaming-{self.user_id}-{frame}"

    def table(self, frame: Frame) -> str:
        """The streaming path's table of a frame, `<user_id>_pin_table` (contract §8)."""
        return f"{self.user_id}_{frame}_table"

    @property
    def dead_letter_topic(self) -> str:
        """Where Connect puts what is not JSON. It must not match the sink's `<user_id>.*`."""
        return f"dead-letter.{self.user_id}"

    @property
    def stack_name(self) -> str:
        """The CloudFormation stack, and what else needs a name of its own in an account."""
        return f"pinterest-{self.user_id}"

    @property
    def bucket(self) -> str:
        """The lake's bucket (contract §8)."""
        return f"user-{self.user_id}-bucket".lower()

    @property
    def s3_endpoint_url(self) -> str | None:
        """S3's endpoint, or None for AWS itself; by the SDK's own convention the service's variable wins."""
        return self.aws_endpoint_url_s3 or self.aws_endpoint_url

    @cached_property
    def aws_credentials(self) -> dict[str, str]:
        """Keyword arguments for boto3; empty means the SDK's default provider chain."""
        if not self.aws_access_key_id or not self.aws_secret_access_key:
            return {}
        return {
            "aws_access_key_id": self.aws_access_key_id,
            "aws_secret_access_key": self.aws_secret_access_key.get_secret_value(),
        }

    def client_options(self, service: str) -> dict[str, Any]:
        """Keyword arguments of `boto3.client(service, …)`: endpoint, region, and credentials where settings hold them."""
        endpoint = self.s3_endpoint_url if service == "s3" else self.aws_endpoint_url
        return {"endpoint_url": endpoint, "region_name": self.aws_region, **self.aws_credentials}

    def kafka_options(self) -> dict[str, Any]:
        """Options of every client of `confluent_kafka`: the brokers, and how they are spoken to."""
        options: dict[str, Any] = {"bootstrap.servers": self.kafka_bootstrap_servers}
        if self.kafka_security == "IAM":
            from settings import msk  # only who speaks to MSK needs its package

            options |= {
                "security.protocol": "SASL_SSL",
                "sasl.mechanisms": "OAUTHBEARER",
                "oauth_cb": lambda _: msk.token(self.aws_region),
            }
        return options

    @property
    def dag_id(self) -> str:
        """The daily batch run's DAG (contract §8)."""
        return f"{self.user_id}_dag"
