"""The load of a drill: one emulator a path, as a person would run them."""

import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from drills.errors import LoadError, NotHitError
from emulator.ledger import Acknowledgement, read_ledger
from stack.compose import ROOT
from stack.waiting import wait_until

BATCH_SIZE = "20"
_START = 120
"""Seconds in which both paths must acknowledge something."""
_END = 900
"""Seconds that an emulator may take to its end, outages included: it has more patience than any fault lasts."""


@dataclass(frozen=True)
class Amount:
    """Posts down each path, of three records each, in about so many seconds."""

    batch: int
    streaming: int
    seconds: int = 45


class Load:
    """Posts of one drill on their way. `ledger` is the drill's own; `folder` takes the emulators' output."""

    def __init__(self, amount: Amount, ledger: Path, folder: Path, seed: int) -> None:
        self.ledger = ledger
        self._amount = amount
        self._seed = seed
        self._folder = folder
        self._logs: list[IO[str]] = []
        self._emulators: dict[str, subprocess.Popen[str]] = {}

    def start(self) -> None:
        """Return when both paths have acknowledged something. Raises `LoadError`."""
        before = Counter[str](entry.path for entry in self.acknowledged())
        for path, posts in (("batch", self._amount.batch), ("streaming", self._amount.streaming)):
            log = (self._folder / f"emulator-{path}.log").open("a")
            rate = posts / self._amount.seconds
            self._emulators[path] = subprocess.Popen(
                [
                    *(sys.executable, "-m", "emulator", path, "--posts", str(posts), "--rate", f"{rate:.2f}"),
                    *("--batch-size", BATCH_SIZE, "--seed", str(self._seed), "--ledger", str(self.ledger)),
                ],
                cwd=ROOT,
                stdout=log,
                stderr=log,
                text=True,
            )
            self._logs.append(log)

        def flows() -> bool:
            now = Counter[str](entry.path for entry in self.acknowledged())
            return all(now[path] > before[path] for path in self._emulators)

        wait_until(flows, _START, lambda: LoadError(f"Nothing was acknowledged in {_START} s: see {self._folder}."))

    def acknowledged(self) -> list[Acknowledgement]:
        """What the ledger of this drill holds by now."""
        return list(read_ledger(self.ledger))

    def goes_on_for(self, seconds: float) -> None:
        """Let the fault last. Raises `NotHitError` if the load has ended by then."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.must_run()
            time.sleep(0.2)

    def must_run(self) -> None:
        """Raises `NotHitError` if the load has ended."""
        if all(emulator.poll() is not None for emulator in self._emulators.values()):
            raise NotHitError("The load had ended before the fault was over.")

    def kill(self) -> None:
        """`kill -9` of the emulators. Raises `NotHitError` if there was nothing to kill."""
        self.must_run()
        for emulator in self._emulators.values():
            emulator.kill()
            emulator.wait()

    def finish(self) -> None:
        """Wait for the last post. Raises `LoadError` if an emulator gave up."""
        for path, emulator in self._emulators.items():
            try:
                code = emulator.wait(_END)
            except subprocess.TimeoutExpired as error:
                raise LoadError(f"The {path} emulator has not ended within {_END} s: see {self._folder}.") from error
            if code:
                raise LoadError(f"The {path} emulator ended with exit code {code}: see {self._folder}.")

    def close(self) -> None:
        """End what is left of it."""
        for emulator in self._emulators.values():
            if emulator.poll() is None:
                emulator.kill()
                emulator.wait()
        for log in self._logs:
            log.close()
