"""docker-compose.yml: what must hold for every service."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from settings import Settings

ROOT = Path(__file__).parent.parent.parent.parent
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
RUNNING = {name: service for name, service in SERVICES.items() if "profiles" not in service}
STAYING = {name: service for name, service in RUNNING.items() if service["restart"] == "unless-stopped"}


def test_the_services_are_the_stacks() -> None:
    assert set(STAYING) == {
        "mysql", "localstack", "kafka", "rest-proxy", "connect", "spark-master", "spark-worker", "spark-streaming", "databricks", "airflow-db", "airflow"
    }  # fmt: skip


def test_the_limits_are_not_far_above_the_8_gb_that_the_readme_asks_for() -> None:
    """They are never reached together: in use is half of it."""
    assert sum(int(service["mem_limit"].removesuffix("m")) for service in STAYING.values()) <= 9600


@pytest.mark.parametrize("name", STAYING)
def test_what_stays_up_has_a_health_check(name: str) -> None:
    assert STAYING[name]["healthcheck"]["test"]


@pytest.mark.parametrize("name", RUNNING)
def test_no_service_has_more_than_it_needs(name: str) -> None:
    service = RUNNING[name]
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert service["logging"]["options"]["max-file"]
    assert all(port.startswith("127.0.0.1:${") for port in service.get("ports", []))


def test_the_jobs_limits_are_dotenvs_and_start_nothing_anew_that_would_forget() -> None:
    limits = {name for name in Settings.model_fields if name.startswith("quarantine_")}
    assert len(limits) == 2
    for name, service in RUNNING.items():
        passed = {key.lower(): value for key, value in service.get("environment", {}).items()}
        given = {key: value for key, value in passed.items() if key in limits}
        # Null is Compose's word for "as it stands in .env, if it does".
        assert given == (dict.fromkeys(limits) if name in ("spark-streaming", "databricks") else {})
