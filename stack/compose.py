"""Docker Compose, called as a person would call it."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dotenv import dotenv_values

from settings import env_file
from stack.errors import ComposeError

ROOT = Path(__file__).parent.parent


@dataclass(frozen=True)
class Container:
    """One container of the project, as `docker compose ps` describes it."""

    name: str
    service: str
    state: str
    health: str
    exit_code: int

    @property
    def is_well(self) -> bool:
        """Running and not unhealthy, or, for those that run once, ended well."""
        return self.health == "healthy" if self.state == "running" else self.state == "exited" and self.exit_code == 0


def command(*arguments: str) -> list[str]:
    """The `docker compose` command line for this project and its .env, which may name more files in COMPOSE_FILE, as Compose has it."""
    names = dotenv_values(env_file()).get("COMPOSE_FILE") or "docker-compose.yml"
    files = [argument for name in names.split(":") for argument in ("--file", str(ROOT / name))]
    return ["docker", "compose", "--env-file", str(env_file()), *files, "--progress", "quiet", *arguments]


def run(*arguments: str) -> None:
    """Run Compose on the terminal. Raises `ComposeError`."""
    done = subprocess.run(command(*arguments), check=False)
    if done.returncode:
        raise ComposeError(
            f"`docker compose {' '.join(arguments)}` failed with exit code {done.returncode}; its own words are above."
        )


def capture(*arguments: str) -> str:
    """What Compose prints. Raises `ComposeError` with what it said instead."""
    done = subprocess.run(command(*arguments), check=False, capture_output=True, text=True)
    if done.returncode:
        raise ComposeError(
            f"`docker compose {' '.join(arguments)}` failed: {done.stderr.strip() or done.stdout.strip()}"
        )
    return done.stdout


def containers() -> list[Container]:
    """Every container of the project, stopped ones as well, by service."""
    rows: list[dict[str, Any]] = [json.loads(line) for line in capture("ps", "--all", "--format", "json").splitlines()]
    found = [Container(r["Name"], r["Service"], r["State"], r["Health"], int(r["ExitCode"])) for r in rows]
    return sorted(found, key=lambda container: container.name)


def services_built_here() -> list[str]:
    """The services whose image we build: not those for which .env names another's, such as MYSQL_IMAGE=mysql:8.4."""
    services = json.loads(capture("--profile", "base", "config", "--format", "json"))["services"]
    return [
        name for name, service in services.items() if "build" in service and service["image"].startswith("pinterest/")
    ]


def build(services: tuple[str, ...], log: Path) -> None:
    """Build the images of `services`, with all that Docker says in `log`. Raises `ComposeError` with its last lines."""
    with log.open("a") as out:
        done = subprocess.run(command("--profile", "base", "build", *services), check=False, stdout=out, stderr=out)
    if done.returncode:
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-25:])
        raise ComposeError(
            f"{tail}\nAn image of {', '.join(services)} could not be built; the whole story is in {log}."
        )


def why_unwell(container: Container) -> str:
    """One line: what the health check or, if there is nothing, the log said last."""
    if container.state == "running":
        health = subprocess.run(
            ["docker", "inspect", "--format", "{{json .State.Health}}", container.name],
            check=False,
            capture_output=True,
            text=True,
        )
        checks = (json.loads(health.stdout or "null") or {}).get("Log") or []
        said = checks[-1]["Output"].strip() if checks else ""
        if said:
            return f"{container.health}: {said.splitlines()[-1][:200]}"
    log = subprocess.run(
        ["docker", "logs", "--tail", "40", container.name], check=False, capture_output=True, text=True
    )
    # Java's stack frames are indented; the sentence is above them.
    lines = [line for line in (log.stdout + log.stderr).splitlines() if line.strip() and not line[0].isspace()]
    state = (
        f"{container.state} with exit code {container.exit_code}" if container.state == "exited" else container.state
    )
    return f"{state}: {lines[-1][:200] if lines else 'it logged nothing'}"


def up() -> None:
    """Start every service and wait for its health. Raises `ComposeError` that names the first part that failed and why."""
    done = subprocess.run(command("up", "--detach", "--wait", "--wait-timeout", "420", "--remove-orphans"), check=False)
    unwell = [container for container in containers() if not container.is_well]
    if unwell:
        # What others wait for is the cause; what only waits was never started.
        cause = next((c for c in unwell if c.state != "created"), unwell[0])
        raise ComposeError(
            f"{cause.service} did not come up ({why_unwell(cause)}). Look at it with `make logs SERVICE={cause.service}`, "
            "mend it, and run `make up` again."
        )
    if done.returncode:
        raise ComposeError("The containers did not start; Docker's own words are above.")
