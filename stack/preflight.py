"""What must be so before anything starts, each fault as one sentence that says what to do."""

import json
import shutil
import socket
import subprocess
from pathlib import Path

from dotenv import dotenv_values

from settings import Settings, SettingsError, env_file
from stack import compose, engine
from stack.environment import PORTS
from stack.errors import PreflightError

MEMORY_GIB = 7.5  # what an "8 GB" machine shows
DISK_GIB = 8.0
MOUNTED = ("settings", "localstack", "spark_jobs", "airflow/dags")
"""What docker-compose.yml mounts from the checkout."""


def check() -> None:
    """Raises `PreflightError` with every fault of this machine, not just the first."""
    faults = _faults()
    if faults:
        raise PreflightError(faults)


def _faults() -> list[str]:
    return [*_settings(), *_private(env_file()), *_readable(), *_ports(), *_memory(), *_disk()]


def _private(file: Path) -> list[str]:
    """`.env` holds every password, and is written for its owner alone; an editor or a copy may have opened it."""
    mode = file.stat().st_mode & 0o777 if file.is_file() else 0o600
    if not mode & 0o077:
        return []
    return [f"{file} holds passwords and has mode {mode:o}, so others may read it; it must have 600: chmod 600 {file}"]


def _readable() -> list[str]:
    """The containers' user is not the checkout's owner, and reads its code through mounts."""
    closed = [name for name in MOUNTED if (compose.ROOT / name).stat().st_mode & 0o005 != 0o005]
    if not closed:
        return []
    return [
        f"Only their owner may read {', '.join(closed)}, and the containers must: chmod -R go+rX {' '.join(closed)}"
    ]


def _settings() -> list[str]:
    try:
        Settings.load()
    except SettingsError as error:
        return [str(error)]
    return []


def _ports() -> list[str]:
    values = dotenv_values(env_file())
    ours = _published()
    faults = []
    for name in PORTS:
        number = values.get(name) or ""
        if not number.isdigit() or not 0 < int(number) < 65536:
            faults.append(f"{name}={number} in {env_file().name} is not a port: give a number from 1 to 65535.")
        elif int(number) not in ours and _is_taken(int(number)):
            faults.append(
                f"Port {number} is taken by another program: stop it, or give {name} another number in {env_file().name}."
            )
    return faults


def _published() -> set[int]:
    """The ports that our own running containers hold."""
    rows = [json.loads(line) for line in compose.capture("ps", "--format", "json").splitlines()]
    return {publisher["PublishedPort"] for row in rows for publisher in row.get("Publishers") or []}


def _is_taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a port just closed is free
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


def _memory() -> list[str]:
    gib = int(_docker_info("MemTotal")) / 2**30
    if gib >= MEMORY_GIB:
        return []
    return [
        f"The Docker engine has {gib:.1f} GiB of memory, and the stack wants {MEMORY_GIB}: give it more (Docker Desktop: Settings, Resources)."
    ]


def _disk() -> list[str]:
    folder = Path(_docker_info("DockerRootDir"))
    free = shutil.disk_usage(folder if folder.exists() else "/").free / 2**30
    if free >= DISK_GIB:
        return []
    return [
        f"{free:.1f} GiB are free where Docker keeps its images, and {DISK_GIB:.0f} are wanted: `docker system prune` may find some."
    ]


def _docker_info(field: str) -> str:
    return subprocess.run(
        ["docker", "info", "--format", f"{{{{.{field}}}}}"], check=True, capture_output=True, text=True
    ).stdout.strip()


def report() -> list[tuple[str, str]]:
    """What `make doctor` says: (what, how it stands). Raises nothing that it can put into words."""
    if not engine.answers():
        return [("Docker engine", "does not answer: `make up` as root on Debian or Ubuntu installs one")]
    rows = [
        ("Docker engine", _docker_info("ServerVersion")),
        ("Docker Compose", "found" if engine.has_compose() else "missing"),
        ("cores, memory", f"{_docker_info('NCPU')}, {int(_docker_info('MemTotal')) / 2**30:.1f} GiB"),
        (".env", "found" if env_file().is_file() else "missing: `make up` writes it"),
    ]
    if engine.has_compose() and env_file().is_file():
        faults = _faults()
        rows += [("preflight", fault) for fault in faults] or [("preflight", "nothing is in the way")]
    return rows
