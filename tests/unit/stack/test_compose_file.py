"""docker-compose.yml: what must hold for every service."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from dotenv import dotenv_values

from settings import Settings
from stack import environment

ROOT = Path(__file__).parent.parent.parent.parent
COMPOSE_FILE = ROOT / "docker-compose.yml"
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(COMPOSE_FILE.read_text())["services"]
RUNNING = {name: service for name, service in SERVICES.items() if "profiles" not in service}
NETWORKS = {"pipeline", "brokers"}
STAYING = {name: service for name, service in RUNNING.items() if service["restart"] == "unless-stopped"}


def test_the_services_are_the_stacks() -> None:
    assert set(STAYING) == {
        "mysql", "localstack", "kafka", "rest-proxy", "connect", "spark-master", "spark-worker", "spark-streaming", "databricks", "airflow-db", "airflow"
    }  # fmt: skip


def test_the_limits_are_not_far_above_the_8_gb_that_the_readme_asks_for() -> None:
    """They are never reached together: in use is half of it."""
    assert sum(int(service["mem_limit"].removesuffix("m")) for service in STAYING.values()) <= 10240


@pytest.mark.parametrize("name", STAYING)
def test_what_stays_up_has_a_health_check(name: str) -> None:
    assert STAYING[name]["healthcheck"]["test"]


@pytest.mark.parametrize("name", RUNNING)
def test_no_service_has_more_than_it_needs(name: str) -> None:
    service = RUNNING[name]
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert service["logging"]["options"]["max-file"]


def test_the_jobs_limits_are_dotenvs_and_start_nothing_anew_that_would_forget() -> None:
    limits = {name for name in Settings.model_fields if name.startswith("quarantine_")}
    assert len(limits) == 2
    for name, service in RUNNING.items():
        passed = {key.lower(): value for key, value in service.get("environment", {}).items()}
        given = {key: value for key, value in passed.items() if key in limits}
        # Null is Compose's word for "as it stands in .env, if it does".
        assert given == (dict.fromkeys(limits) if name in ("spark-streaming", "databricks") else {})


def test_a_consumer_is_led_back_to_the_gateway_of_the_settings() -> None:
    given = SERVICES["rest-proxy"]["environment"]["REST_PROXY_ADVERTISED_URL"]
    assert given == dotenv_values(ROOT / "settings" / "local.env", interpolate=False)["API_URL"]


SECRET = re.compile(r"PASSWORD|SECRET|TOKEN|CREDENTIAL|ACCESS_KEY|_CONN")
GIVEN = re.compile(r"\$\{\w+:\?\}")
"""A variable that Compose insists on: neither missing nor empty, and without a default."""


def secrets_of(service: dict[str, Any]) -> dict[str, str]:
    return {name: str(value) for name, value in service.get("environment", {}).items() if SECRET.search(name)}


@pytest.mark.parametrize("name", RUNNING)
def test_a_secret_is_given_by_dotenv_and_nothing_stands_in_for_it(name: str) -> None:
    for variable, value in secrets_of(RUNNING[name]).items():
        assert GIVEN.search(value), f"{variable} of {name} is {value!r}; expected ${{…:?}}, which refuses an empty one"


def test_no_secret_is_interpolated_with_a_default_or_without_insisting() -> None:
    used = set(re.findall(r"\$\{([^}]+)\}", COMPOSE_FILE.read_text()))
    secrets = {use for use in used if SECRET.search(use)}
    assert len(secrets) >= 6
    assert all(use.endswith(":?") for use in secrets), secrets


def test_every_secret_of_the_compose_file_is_drawn_at_random(tmp_path: Path) -> None:
    """Twice drawn, twice different, and long enough not to be guessed."""
    names = {name for name in re.findall(r"\$\{(\w+)", COMPOSE_FILE.read_text()) if SECRET.search(name)}
    assert len(names) >= 6
    environment.write(tmp_path / "a")
    environment.write(tmp_path / "b")
    a, b = dotenv_values(tmp_path / "a"), dotenv_values(tmp_path / "b")
    for name in names:
        assert a[name] != b[name]
        assert len(a[name] or "") >= 16


def test_the_settings_files_hold_no_secret_but_the_dummy_keys_of_localstack() -> None:
    """LocalStack is an emulator of AWS that checks no credentials; its clients must sign with some, and `test` is what it is told to expect."""
    held = {
        name: value
        for file in ("local.env", "container.env", "aws.env.example")
        for name, value in dotenv_values(ROOT / "settings" / file, interpolate=False).items()
        if SECRET.search(name) and value and value != f"${{{name}}}"  # which is .env's
    }
    assert held == {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}


def test_the_settings_have_no_password_by_default() -> None:
    """An empty one is none: every server has one of `.env`, which is never empty, and refuses it."""
    secrets = {name: field for name, field in Settings.model_fields.items() if "SecretStr" in str(field.annotation)}
    assert len(secrets) >= 4
    assert {name: field.default for name, field in secrets.items() if field.default} == {}


@pytest.mark.parametrize("name", RUNNING)
def test_nothing_but_ports_on_loopback_leads_in_from_outside(name: str) -> None:
    service = RUNNING[name]
    assert all(isinstance(port, str) and port.startswith("127.0.0.1:${") for port in service.get("ports", []))
    assert "network_mode" not in service
    assert set(service["networks"]) <= NETWORKS
    assert not {"privileged", "cap_add", "devices", "pid", "ipc", "userns_mode", "extra_hosts"} & set(service)
    assert not [volume for volume in service.get("volumes", []) if volume.startswith("/")], "a folder of the host"
    assert all(volume.endswith(":ro") for volume in service.get("volumes", []) if volume.startswith("."))


def test_the_networks_are_composes_own() -> None:
    """Neither the host's nor any that another project made."""
    assert yaml.safe_load(COMPOSE_FILE.read_text())["networks"] == dict.fromkeys(NETWORKS)


def test_roots_are_read_only_but_for_two_that_write_without_bound() -> None:
    assert {name for name, service in RUNNING.items() if not service["read_only"]} == {"localstack", "spark-worker"}


@pytest.mark.parametrize("name", RUNNING)
def test_what_is_kept_in_memory_is_bounded(name: str) -> None:
    """A tmpfs without a size may take half of the machine, and what it holds counts toward the container's limit."""
    sizes = [re.search(r":size=(\d+)m", mount) for mount in RUNNING[name].get("tmpfs", [])]
    assert all(sizes)
    limit = int(RUNNING[name]["mem_limit"].removesuffix("m"))
    assert sum(int(size[1]) for size in sizes if size) <= limit / 4
