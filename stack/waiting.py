"""Waiting on a condition."""

import time
from collections.abc import Callable


def wait_until(
    condition: Callable[[], bool], seconds: float, failure: Callable[[], Exception], every: float = 0.5
) -> None:
    """Return as soon as `condition` holds; raise what `failure` makes if it does not within `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise failure()
        time.sleep(every)
