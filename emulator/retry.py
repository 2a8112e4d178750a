"""How outages are met: say so once, come back with growing pauses, say when it is over."""

import threading
from collections.abc import Callable
from typing import TypeVar

from tenacity import (
    Retrying,
    retry_if_exception_type,
    sleep_using_event,
    stop_after_delay,
    stop_when_event_set,
    wait_exponential,
    wait_random,
)

from emulator.errors import UnavailableError

T = TypeVar("T")

PATIENCE = 600
"""Seconds after which a record that nobody takes ends the run."""


class Patience:
    """Repeats what raises `UnavailableError`, until it works, `stop` is set, or `PATIENCE` is over.

    Workers share one for each far side, so that an outage is told once and not once a worker.
    """

    def __init__(self, name: str, stop: threading.Event, report: Callable[[str], None]) -> None:
        self._name = name
        self._report = report
        self._out = False
        self._lock = threading.Lock()
        self._retrying = Retrying(
            retry=retry_if_exception_type(UnavailableError),
            wait=wait_exponential(multiplier=0.1, max=10) + wait_random(0, 0.1),
            stop=stop_when_event_set(stop) | stop_after_delay(PATIENCE),
            sleep=sleep_using_event(stop),
            reraise=True,
        )

    def call(self, action: Callable[[], T]) -> T:
        """The action's result. Raises its last `UnavailableError` if patience ended, and any other error at once."""
        result: T = self._retrying.copy()(self._watched, action)
        return result

    def _watched(self, action: Callable[[], T]) -> T:
        try:
            result = action()
        except UnavailableError as error:
            self._turn(True, f"{error}; trying again until it works.")
            raise
        self._turn(False, f"{self._name} is back.")
        return result

    def _turn(self, out: bool, sentence: str) -> None:
        with self._lock:
            changed, self._out = self._out != out, out
        if changed:
            self._report(sentence)
