"""One stack for all integration tests: its own Compose project, ports, volumes and .env, removed afterwards.

A person's running stack is not touched; only the images are shared.
"""

import os
import secrets
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pytest
from testcontainers.compose import DockerCompose

from settings import Settings
from stack import environment

ROOT = Path(__file__).parent.parent.parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The paths come first, and what reads their posts next: modules compare whole tables with what they themselves have sent."""
    late = ("test_databricks.py", "test_under_faults.py", "test_odd_inputs.py")
    items.sort(key=lambda item: late.index(item.path.name) if item.path.name in late else -1)


def free_ports(count: int) -> list[int]:
    """Ports that nobody holds; all are held at once while choosing, so that none comes twice."""
    with ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]


@dataclass(frozen=True)
class Stack:
    """A running stack, and how a person would use it."""

    settings: Settings
    compose: DockerCompose
    folder: Path

    def run(self, *module: str, check: bool = True, timeout: float = 600) -> subprocess.CompletedProcess[str]:
        """`python -m <module…>` as the Makefile calls it; its output is captured, and shown if it fails."""
        done = subprocess.run(
            [sys.executable, "-m", *module],
            cwd=ROOT,
            env=os.environ,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        if check and done.returncode:
            pytest.fail(f"python -m {' '.join(module)} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
        return done

    def start(self, *module: str, output: IO[str]) -> subprocess.Popen[str]:
        """The same, under way: the caller waits for it."""
        return subprocess.Popen([sys.executable, "-m", *module], cwd=ROOT, stdout=output, stderr=output, text=True)

    def docker(self, *command: str) -> str:
        return subprocess.run(["docker", *command], check=True, capture_output=True, text=True).stdout

    def container(self, service: str) -> str:
        """The name of the service's one container."""
        found = self.compose.get_container(service, include_all=True)
        assert found.Name, f"no container of {service}"
        return found.Name

    def is_healthy(self, service: str) -> bool:
        return (
            self.docker("inspect", "--format", "{{.State.Health.Status}}", self.container(service)).strip() == "healthy"
        )


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("stack")
    ports = dict(zip(environment.PORTS, map(str, free_ports(len(environment.PORTS))), strict=True))
    project = f"pinterest-test-{secrets.token_hex(3)}"
    environment.write(folder / ".env", COMPOSE_PROJECT_NAME=project, USER_ID="test", **ports)
    os.environ["PIPELINE_ENV_FILE"] = str(folder / ".env")
    compose = DockerCompose(
        context=str(ROOT), compose_file_name="docker-compose.yml", env_file=str(folder / ".env"), wait=True
    )
    try:
        compose.start()
        here = Stack(Settings.load(), compose, folder)
        here.run("stack", "up")  # on a running stack: deploys what is missing, and harms nothing
        yield here
    finally:
        compose.stop(down=True)  # volumes as well
