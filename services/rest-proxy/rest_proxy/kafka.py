"""What all Kafka clients of the proxy share: their options, and what Kafka's errors mean over HTTP."""

import logging
from typing import Any

from aws_msk_iam_sasl_signer import MSKAuthTokenProvider
from confluent_kafka import KafkaError, KafkaException

from rest_proxy.errors import (
    ForbiddenError,
    KafkaFailedError,
    KafkaUnavailableError,
    RestProxyError,
    UnauthenticatedError,
)
from rest_proxy.settings import Settings

_log = logging.getLogger("rest_proxy.kafka")

_UNAUTHENTICATED = {KafkaError.SASL_AUTHENTICATION_FAILED, KafkaError._AUTHENTICATION}
_FORBIDDEN = {
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.GROUP_AUTHORIZATION_FAILED,
    KafkaError.CLUSTER_AUTHORIZATION_FAILED,
}
# The counterparts of the Java client's RetriableException, by which Confluent tells 50003 from 50002.
_RETRIABLE = {
    KafkaError._ALL_BROKERS_DOWN,
    KafkaError._MSG_TIMED_OUT,
    KafkaError._QUEUE_FULL,
    KafkaError._RESOLVE,
    KafkaError._TIMED_OUT,
    KafkaError._TIMED_OUT_QUEUE,
    KafkaError._TRANSPORT,
    KafkaError._UNKNOWN_TOPIC,
    KafkaError._WAIT_COORD,
    KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
    KafkaError.COORDINATOR_NOT_AVAILABLE,
    KafkaError.INVALID_MSG,
    KafkaError.KAFKA_STORAGE_ERROR,
    KafkaError.LEADER_NOT_AVAILABLE,
    KafkaError.NETWORK_EXCEPTION,
    KafkaError.NOT_COORDINATOR,
    KafkaError.NOT_ENOUGH_REPLICAS,
    KafkaError.NOT_ENOUGH_REPLICAS_AFTER_APPEND,
    KafkaError.NOT_LEADER_FOR_PARTITION,
    KafkaError.REQUEST_TIMED_OUT,
    KafkaError.UNKNOWN_TOPIC_OR_PART,
}
UNKNOWN_TOPIC = {KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC, KafkaError.TOPIC_EXCEPTION}


def client_options(settings: Settings, **options: Any) -> dict[str, Any]:
    """librdkafka's options for one client: the proxy's own, then its user's, then this client's."""
    return {
        "bootstrap.servers": settings.bootstrap_servers,
        "client.id": "rest-proxy",
        "log.connection.close": False,
        # After a broker's return no record should wait out librdkafka's default of ten seconds.
        "reconnect.backoff.max.ms": 1000,
        "allow.auto.create.topics": False,
        "logger": logging.getLogger("rest_proxy.librdkafka"),
        **_security(settings.msk_region),
        **settings.kafka_options,
        **options,
    }


def _security(msk_region: str | None) -> dict[str, Any]:
    if msk_region is None:
        return {}

    def token(_: str) -> tuple[str, float]:
        """Signed by the SDK's default credentials, here and now; with the time of its end, in seconds since 1970."""
        signed, ends_ms = MSKAuthTokenProvider.generate_auth_token(msk_region)
        return signed, ends_ms / 1000

    return {"security.protocol": "SASL_SSL", "sasl.mechanisms": "OAUTHBEARER", "oauth_cb": token}


def classify(error: KafkaError) -> RestProxyError:
    """Kafka's error as an answer: 401, 403, a retriable 50003 or a final 50002."""
    message = f"Kafka says {error.name()}: {error.str()}."
    code = error.code()
    if code in _UNAUTHENTICATED:
        return UnauthenticatedError(message)
    if code in _FORBIDDEN:
        return ForbiddenError(message)
    return KafkaUnavailableError(message) if code in _RETRIABLE else KafkaFailedError(message)


def classify_exception(exception: KafkaException) -> RestProxyError:
    """The same for an exception, which carries the error as its argument."""
    return classify(exception.args[0])
