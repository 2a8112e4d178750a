"""What a run says while it runs: a live bar on a terminal, a plain line now and then elsewhere."""

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, Task, TextColumn, TimeElapsedColumn
from rich.text import Text

LINE_EVERY = 5.0
"""Seconds between two plain lines."""


@dataclass
class Totals:
    """What a run has done so far."""

    posts: int = 0
    """Posts of which every record was acknowledged."""
    records: int = 0
    refused: int = 0
    seconds: float = 0.0

    @property
    def rate(self) -> float:
        """Posts a second."""
        return self.posts / self.seconds if self.seconds else 0.0

    def __str__(self) -> str:
        return f"{self.posts:,} posts, {self.records:,} records acknowledged, {self.refused:,} errors, {self.rate:,.1f} posts/s"


@dataclass
class Reporter:
    """Counts for all workers, and writes to the console. Use as a context for as long as the run lasts.

    Leaving it writes the summary.
    """

    console: Console
    wanted: int | None = None
    """Posts asked for; None for an endless run."""
    clock: Callable[[], float] = time.monotonic
    totals: Totals = field(default_factory=Totals)

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._told: set[str] = set()
        self._start = self._last_line = 0.0
        self._bar = Progress(
            SpinnerColumn(), BarColumn(20), _TotalsColumn(self.totals), TimeElapsedColumn(), TextColumn("{task.description}"),
            console=self.console, disable=not self.console.is_terminal,
        )  # fmt: skip
        self._task = self._bar.add_task("Ctrl-C ends", total=self.wanted)

    def __enter__(self) -> "Reporter":
        self._start = self._last_line = self.clock()
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()
        self.say(f"sent {self.totals}.")

    def say(self, sentence: str) -> None:
        """A line of its own, above the bar."""
        self.console.print(f"emulator: {sentence}", markup=False, highlight=False, soft_wrap=True)

    def once(self, sentences: Iterable[str]) -> None:
        """Each sentence, unless it was said before: a wrong topic is one fault and not one for every post."""
        with self._lock:
            new = [sentence for sentence in sentences if sentence not in self._told]
            self._told.update(new)
        for sentence in new:
            self.say(sentence)

    def add(self, posts: int = 0, records: int = 0, refused: int = 0) -> None:
        """Count what was done."""
        with self._lock:
            now = self.clock()
            self.totals.posts += posts
            self.totals.records += records
            self.totals.refused += refused
            self.totals.seconds = now - self._start
            line_due = now - self._last_line >= LINE_EVERY and not self.console.is_terminal
            if line_due:
                self._last_line = now
            line = str(self.totals)
        self._bar.update(self._task, completed=self.totals.posts)
        if line_due:
            self.say(line)


class _TotalsColumn(ProgressColumn):
    def __init__(self, totals: Totals) -> None:
        super().__init__()
        self._totals = totals

    def render(self, task: Task) -> Text:
        totals = self._totals
        return Text(f"{totals.posts:,} posts  {totals.rate:,.1f}/s  {totals.refused:,} errors", no_wrap=True)
