"""docker-compose.confluent.yml, as Compose reads it. No container is started: Confluent's images come from a registry.

It stands here because Compose need not be on the machine when the unit tests run.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from stack import compose, environment

Services = dict[str, dict[str, Any]]


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A `.env` with the line that the README tells a person to write."""
    environment.write(tmp_path / ".env", COMPOSE_FILE="docker-compose.yml:docker-compose.confluent.yml")
    monkeypatch.setenv("PIPELINE_ENV_FILE", str(tmp_path / ".env"))
    return tmp_path / ".env"


def services() -> Services:
    read: Services = json.loads(compose.capture("config", "--format", "json"))["services"]
    return read


def test_confluents_proxy_and_sink_are_in_place_and_all_else_is_ours(file: Path) -> None:
    confluents = services()
    file.write_text(file.read_text().replace("COMPOSE_FILE=", "UNUSED="))
    ours = services()
    assert set(confluents) == set(ours)
    assert {name for name in ours if confluents[name] != ours[name]} == {"topics", "rest-proxy", "connect"}

    def changed(name: str) -> set[str]:
        parts = confluents[name].keys() | ours[name].keys()
        return {part for part in parts if confluents[name].get(part) != ours[name].get(part)}

    # Its image is no longer built for the proxy, and so for itself; it is the same image.
    assert changed("topics") == {"build"}
    assert changed("rest-proxy") == {"image", "build", "environment", "read_only", "healthcheck", "mem_limit"}
    assert changed("connect") == {"image", "build", "environment", "mem_limit"}
    assert confluents["rest-proxy"]["image"].startswith("confluentinc/cp-kafka-rest:")
    assert "build" not in confluents["rest-proxy"]
    assert confluents["connect"]["build"]["target"] == "confluent"


@pytest.mark.usefixtures("file")
def test_make_builds_what_is_ours_and_not_what_is_replaced() -> None:
    built = compose.services_built_here()
    assert "topics" in built
    assert "connect" in built
    assert "rest-proxy" not in built
