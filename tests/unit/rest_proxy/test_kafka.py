"""Kafka's errors as answers."""

import base64
import time

import pytest
from confluent_kafka import KafkaError
from rest_proxy.kafka import classify, client_options
from rest_proxy.producer import Delivered
from rest_proxy.settings import Settings
from rest_proxy.topic_routes import produce_status


@pytest.mark.parametrize(
    ("kafka", "status", "code"),
    [
        (KafkaError.MSG_SIZE_TOO_LARGE, 500, 50002),
        (KafkaError._UNKNOWN_PARTITION, 500, 50002),
        (KafkaError._MSG_TIMED_OUT, 500, 50003),
        (KafkaError.NOT_ENOUGH_REPLICAS, 500, 50003),
        (KafkaError.UNKNOWN_TOPIC_OR_PART, 500, 50003),
        (KafkaError.SASL_AUTHENTICATION_FAILED, 401, 40101),
        (KafkaError.TOPIC_AUTHORIZATION_FAILED, 403, 40301),
    ],
)
def test_status_and_code(kafka: int, status: int, code: int) -> None:
    answer = classify(KafkaError(kafka))
    assert (answer.status, answer.code) == (status, code)
    assert answer.message.endswith(".")


def test_only_a_missing_permission_changes_the_status_of_a_produce_request() -> None:
    assert produce_status([Delivered(0, 1), Delivered(error_code=50002), Delivered(error_code=50003)]) == 200
    assert produce_status([Delivered(0, 1), Delivered(error_code=40101)]) == 401
    assert produce_status([Delivered(0, 1), Delivered(error_code=40301)]) == 403


def test_options_pass_through_and_stay_out_of_logs() -> None:
    settings = Settings(bootstrap_servers="b:1", kafka_options={"security.protocol": "SSL", "ssl.key.password": "hush"})
    options = client_options(settings, acks="all")
    assert options["security.protocol"] == "SSL"
    assert options["acks"] == "all"
    assert "hush" not in repr(settings)


def test_brokers_of_msk_are_spoken_to_with_signed_tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "example")
    options = client_options(Settings(bootstrap_servers="b-1.example:9098", msk_region="eu-west-1"))
    assert (options["security.protocol"], options["sasl.mechanisms"]) == ("SASL_SSL", "OAUTHBEARER")
    token, ends = options["oauth_cb"]("")
    assert "kafka.eu-west-1.amazonaws.com" in base64.urlsafe_b64decode(token + "==").decode()
    assert 0 < ends - time.time() <= 15 * 60


def test_other_brokers_are_spoken_to_as_the_options_say() -> None:
    assert "oauth_cb" not in client_options(Settings(bootstrap_servers="kafka:9092"))
