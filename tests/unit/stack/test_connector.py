"""The sink's configuration, in the contract's names (§5)."""

import re
from pathlib import Path

import pytest

from settings import Settings
from stack import connector


@pytest.fixture
def workers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    (tmp_path / ".env").write_text("USER_ID=abc\n")
    monkeypatch.setenv("PIPELINE_ENV_FILE", str(tmp_path / ".env"))
    return Settings.load("container")


def test_the_pattern_takes_the_users_topics_and_not_its_own_dead_letters(workers: Settings) -> None:
    pattern = re.compile(connector.configuration(workers)["topics.regex"])
    assert all(pattern.fullmatch(topic) for topic in ("abc.pin", "abc.geo", "abc.user"))
    assert not pattern.fullmatch(workers.dead_letter_topic)
    assert not pattern.fullmatch("abcd.pin")


def test_locally_s3_is_named_and_signed_for(workers: Settings) -> None:
    configuration = connector.configuration(workers)
    assert configuration["store.url"] == "http://localstack:4566"
    assert configuration["aws.access.key.id"] == "test"
    assert configuration["aws.secret.access.key"] == "test"


def test_in_the_cloud_neither_endpoint_nor_key_is_given(workers: Settings) -> None:
    cloud = workers.model_copy(update={"aws_endpoint_url": None, "aws_access_key_id": None})
    assert not {"store.url", "aws.access.key.id", "aws.secret.access.key", "s3.path.style.access.enabled"} & set(
        connector.configuration(cloud)
    )


def test_confluents_sink_is_told_the_same(workers: Settings, tmp_path: Path) -> None:
    ours = connector.configuration(workers)
    with (tmp_path / ".env").open("a") as file:
        file.write("SINK_CLASS=io.confluent.connect.s3.S3SinkConnector\n")
    assert connector.configuration(Settings.load("container")) == ours | {
        "connector.class": "io.confluent.connect.s3.S3SinkConnector"
    }
    assert ours["connector.class"] == "pinterest.connect.s3.S3SinkConnector"


def test_what_confluents_sink_asks_for_is_there(workers: Settings) -> None:
    """By its documentation: without a schedule it keeps what no `flush.size` fills, and a schedule needs a time zone."""
    configuration = connector.configuration(workers)
    required = {"topics.regex", "s3.bucket.name", "s3.region", "flush.size", "format.class", "storage.class", "partitioner.class"}  # fmt: skip
    assert required < set(configuration)
    assert int(configuration["rotate.schedule.interval.ms"]) > 0
    assert configuration["timezone"] == "UTC"
    assert configuration["behavior.on.null.values"] == "ignore"
