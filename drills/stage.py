"""The stack that a drill breaks: its containers by Docker's own commands, and whether it is well."""

import json
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from drills.errors import DrillError, NotHitError
from emulator.ledger import Acknowledgement, KafkaAcknowledgement, KinesisAcknowledgement
from settings import FRAMES, Settings
from stack import compose, connector, lake, streams
from stack.errors import StackError


@dataclass(frozen=True)
class Stage:
    """One running stack. `folder` takes what a drill leaves behind for a person to read."""

    settings: Settings
    folder: Path

    def kill(self, service: str) -> None:
        """`kill -9`. Raises `NotHitError` if it lives on."""
        container = self.container(service)
        docker("kill", "--signal", "KILL", container)
        if self._state(container)["Running"]:
            raise NotHitError(f"{service} was killed, and runs.")

    def start(self, service: str) -> None:
        docker("start", self.container(service))

    @contextmanager
    def paused(self, service: str) -> Iterator[None]:
        container = self.container(service)
        docker("pause", container)
        try:
            if not self._state(container)["Paused"]:
                raise NotHitError(f"{service} was paused, and runs.")
            yield
        finally:
            docker("unpause", container)

    @contextmanager
    def cut_off(self, service: str, network: str) -> Iterator[None]:
        """The service without one of its networks."""
        container, name = self.container(service), f"{self.project}_{network}"
        docker("network", "disconnect", name, container)
        try:
            if name in json.loads(docker("inspect", "--format", "{{json .NetworkSettings.Networks}}", container)):
                raise NotHitError(f"{service} was cut off from {network}, and is still in it.")
            yield
        finally:
            docker("network", "connect", "--alias", service, name, container)

    def container(self, service: str) -> str:
        """The name of the service's one container. Raises `DrillError`."""
        found = [one.name for one in compose.containers() if one.service == service]
        if len(found) != 1:
            raise DrillError(f"{service} has {len(found)} containers, and a drill wants one. `make up` starts it.")
        return found[0]

    @property
    def project(self) -> str:
        """The Compose project's name, which begins the names of its networks."""
        return str(json.loads(compose.capture("config", "--format", "json"))["name"])

    def unwell(self) -> str | None:
        """What is not well, or None."""
        try:
            for container in compose.containers():
                if not container.is_well:
                    return f"{container.service}: {compose.why_unwell(container)}"
            state = connector.state(self.settings)
        except StackError as error:
            return str(error)
        return None if state == "RUNNING" else f"the S3 sink: {state}"

    def has(self, acknowledged: Iterable[Acknowledgement]) -> bool:
        """Whether all of these are in the lake, and in the streaming tables or their quarantine."""
        ends: dict[tuple[str, int], int] = {}
        last: dict[tuple[str, str], int] = {}
        for entry in acknowledged:
            match entry:
                case KafkaAcknowledgement(topic=topic, partition=partition, offset=offset):
                    ends[topic, partition] = max(offset + 1, ends.get((topic, partition), 0))
                case KinesisAcknowledgement(stream=stream, shard=shard, sequence=sequence):
                    last[stream, shard] = max(int(sequence), last.get((stream, shard), 0))
        try:
            if lake.behind(self.settings, ends):
                return False
            for frame in FRAMES:
                positions = streams.committed(self.settings, frame)
                for (stream, shard), wanted in last.items():
                    if stream == self.settings.stream(frame):
                        how, read = positions.get(shard, ("", ""))
                        if how != "end" and int(read or 0) < wanted:
                            return False
        except StackError:  # it is not back yet
            return False
        return True

    def _state(self, container: str) -> dict[str, Any]:
        state: dict[str, Any] = json.loads(docker("inspect", "--format", "{{json .State}}", container))
        return state


def docker(*command: str) -> str:
    """What it prints. Raises `DrillError`."""
    done = subprocess.run(["docker", *command], check=False, capture_output=True, text=True)
    if done.returncode:
        raise DrillError(f"`docker {' '.join(command)}` failed: {done.stderr.strip()}")
    return done.stdout
