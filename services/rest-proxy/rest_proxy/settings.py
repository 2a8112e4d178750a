"""The proxy's settings: the only place of this package that reads the environment."""

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

MIB = 1024 * 1024


class Settings(BaseSettings):
    """Read from variables named `REST_PROXY_<FIELD>`; the brokers from `KAFKA_BOOTSTRAP_SERVERS`, as everywhere else.

    The defaults are made for a container of 256 MB in front of one broker.
    """

    model_config = SettingsConfigDict(env_prefix="REST_PROXY_", frozen=True, populate_by_name=True)

    bootstrap_servers: str = Field(validation_alias="KAFKA_BOOTSTRAP_SERVERS")
    kafka_options: dict[str, str] = Field(default_factory=dict, repr=False)
    """librdkafka options for every client, as JSON: `{"security.protocol": "SSL"}`. Never logged: it may hold passwords."""
    msk_region: str | None = None
    """The AWS region of MSK brokers, which are spoken to by TLS and with tokens of IAM; none for brokers of any other kind."""
    topics: list[str] = []
    """What `rest_proxy.provision` makes, as JSON."""

    host: str = "0.0.0.0"
    port: int = 8082
    advertised_url: str | None = None
    """What `base_uri` of a new consumer starts with; None takes it from the request (`X-Forwarded-*`, else `Host`).
    Needed behind a gateway with a path of its own, which says nothing of that path to what stands behind it."""

    max_body_bytes: int = Field(default=10 * MIB, gt=0)
    """A longer request is refused with 413. The default is API Gateway's own limit."""
    max_memory_bytes: int = Field(default=64 * MIB, gt=0)
    """What the requests in progress may hold together; beyond it 503, and 413 for one that alone could never fit."""
    body_timeout_s: float = Field(default=30, gt=0)
    """How long a client may take to send its body before it must give its memory back."""

    topic_ttl_s: float = Field(default=10, ge=0)
    """How long a topic that was found is taken to exist without asking the broker again."""
    metadata_timeout_s: float = Field(default=5, gt=0)
    delivery_timeout_s: float = Field(default=10, gt=0)
    """How long a record may wait for its acknowledgement. With the metadata's it must stay below API Gateway's 29 s."""

    max_consumers: int = Field(default=4, gt=0)
    """Each consumer instance costs a few threads, and up to 25 MB while it reads batches that were well compressed."""
    consumer_idle_s: float = Field(default=300, gt=0)
    consumer_read_timeout_ms: int = Field(default=1000, ge=0)
    """How long a read without `timeout` collects records (Confluent's `consumer.request.timeout.ms`)."""
    consumer_max_read_timeout_ms: int = Field(default=25_000, ge=0)
    """The longest `timeout` a reader gets: below API Gateway's 29 s."""
    consumer_max_bytes: int = Field(default=MIB, gt=0)
    """The most that one read returns, in bytes of keys and values before encoding."""


def told(error: ValidationError) -> str:
    """What is wrong with the settings, as a sentence."""
    faults = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors())
    return f"The REST proxy's settings in the environment cannot be used: {faults}."
