import threading
from collections.abc import Callable

import pytest

from emulator.errors import SourceError, UnavailableError
from emulator.retry import Patience


class Stop(threading.Event):
    """Notes how long was waited instead of waiting."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.waits.append(timeout or 0)
        return self.is_set()


def failing(times: int, error: Exception) -> Callable[[], str]:
    faults = [error] * times

    def action() -> str:
        if faults:
            raise faults.pop()
        return "done"

    return action


def test_an_outage_is_told_once_and_its_end_once() -> None:
    told: list[str] = []
    patience = Patience("MySQL", Stop(), told.append)
    assert patience.call(failing(5, UnavailableError("MySQL does not answer"))) == "done"
    assert patience.call(failing(0, UnavailableError())) == "done"
    assert told == ["MySQL does not answer; trying again until it works.", "MySQL is back."]


def test_the_next_outage_is_told_again() -> None:
    told: list[str] = []
    patience = Patience("MySQL", Stop(), told.append)
    for _ in range(2):
        patience.call(failing(1, UnavailableError("down")))
    assert len(told) == 4


def test_pauses_grow_to_a_limit() -> None:
    stop = Stop()
    Patience("MySQL", stop, lambda _: None).call(failing(12, UnavailableError("down")))
    assert len(stop.waits) == 12
    assert stop.waits[0] < 1
    assert stop.waits == sorted(stop.waits[:7]) + stop.waits[7:]
    assert all(10 <= wait < 11 for wait in stop.waits[-3:])


def test_what_will_never_work_is_not_tried_again() -> None:
    stop = Stop()
    with pytest.raises(SourceError, match="wrong password"):
        Patience("MySQL", stop, lambda _: None).call(failing(1, SourceError("wrong password")))
    assert stop.waits == []


def test_a_run_that_is_stopped_does_not_try_again() -> None:
    stop = Stop()
    stop.set()
    with pytest.raises(UnavailableError, match="down"):
        Patience("MySQL", stop, lambda _: None).call(failing(1, UnavailableError("down")))


def test_patience_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("emulator.retry.PATIENCE", 0)
    with pytest.raises(UnavailableError, match="down"):
        Patience("MySQL", Stop(), lambda _: None).call(failing(1, UnavailableError("down")))
