"""`.env`: this machine's ports and secrets. Made at the first `make up`, kept ever after, never committed."""

import base64
import secrets
import uuid
from pathlib import Path

from dotenv import dotenv_values

PORTS = {
    "MYSQL_PORT": 3307,
    "KAFKA_PORT": 29092,
    "REST_PROXY_PORT": 8082,
    "CONNECT_PORT": 8083,
    "LOCALSTACK_PORT": 4566,
    "SPARK_PORT": 8090,
    "STREAMING_PORT": 4040,
    "CLUSTER_PORT": 4041,
    "DATABRICKS_PORT": 8000,
    "AIRFLOW_PORT": 8080,
}
"""Each published port and its usual number; .env may hold another."""


def _kafka_cluster_id() -> str:
    identity = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
    return "A" + identity[1:]  # a leading dash would be taken for an option


def _defaults() -> dict[str, str]:
    return {
        "COMPOSE_PROJECT_NAME": "pinterest",
        "USER_ID": "demo",
        "SEED_POSTS": "11001",
        **{name: str(port) for name, port in PORTS.items()},
        "AIRFLOW_USER": "admin",
        "DATABRICKS_TOKEN": secrets.token_hex(16),
        "AIRFLOW_PASSWORD": secrets.token_hex(8),
        "AIRFLOW_SECRET": secrets.token_hex(32),
        "AIRFLOW_DB_PASSWORD": secrets.token_hex(16),
        "MYSQL_PASSWORD": secrets.token_hex(16),
        "MYSQL_ROOT_PASSWORD": secrets.token_hex(16),
        "KAFKA_CLUSTER_ID": _kafka_cluster_id(),
    }


def write(file: Path, **given: str) -> list[str]:
    """Write `file`, or add to it what it lacks; what it holds stays. Returns the names that were added.

    `given` takes the place of a default in a new file: a test's ports and project name.
    """
    held = dotenv_values(file) if file.is_file() else {}
    missing = {name: value for name, value in {**_defaults(), **given}.items() if not held.get(name)}
    if missing:
        new = not file.exists()
        with file.open("a") as out:
            file.chmod(0o600)
            if new:
                out.write("# This machine's ports and secrets. Not committed. Change a port here, then: make up\n")
            out.writelines(f"{name}={value}\n" for name, value in missing.items())
    return list(missing)
