"""Saying what is being done, and how long it took."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.table import Table


class Steps:
    """Named steps, printed as they begin; `summary` prints the time of each."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._seconds: dict[str, float] = {}

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        self._console.rule(f"[bold]{name}", align="left")
        started = time.monotonic()
        yield
        self._seconds[name] = time.monotonic() - started

    def summary(self) -> None:
        shown = Table(title="Time of each step", title_justify="left", show_footer=True)
        shown.add_column("step", footer="all")
        shown.add_column("seconds", footer=f"{sum(self._seconds.values()):.0f}", justify="right")
        for name, seconds in self._seconds.items():
            shown.add_row(name, f"{seconds:.0f}")
        self._console.print(shown)
