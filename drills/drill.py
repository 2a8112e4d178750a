"""One drill, from the first post to the verdict."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from rich.console import Console

from audit.run import audit
from drills.errors import LoadError, UnwellError
from drills.load import Amount, Load
from drills.stage import Stage
from stack import batch, streams
from stack.waiting import wait_until

ENOUGH = 10_000
"""Records that must have been acknowledged for a drill to mean anything."""

BATCH_PATH = Amount(batch=3000, streaming=500)
STREAMING_PATH = Amount(batch=1400, streaming=2100, seconds=25)
"""LocalStack's Kinesis holds all that it was ever sent in memory: only where a drill is about the streams is it given most of the load."""

_START = 60
_RECOVERY = 600
"""Seconds."""

Fault = Callable[[Stage, Load], None]
"""Breaks one thing, makes sure that it is broken while the load goes on, and mends it."""


@dataclass(frozen=True)
class Drill:
    """`may_cost` is what the fault may do to requests that nobody acknowledged; to acknowledged records it may do nothing."""

    name: str
    what: str
    may_cost: str
    fault: Fault
    amount: Amount = BATCH_PATH


@dataclass(frozen=True)
class Outcome:
    """Of the drill's own records, and of all that the stack's tables hold. `recovery` in seconds from the fault's end, None if it never came."""

    drill: Drill
    acknowledged: int = 0
    lost: int = 0
    twice: int = 0
    recovery: float | None = None
    fault: str | None = None

    @property
    def passed(self) -> bool:
        return self.fault is None


def run(drill: Drill, stage: Stage, seed: int, say: Callable[[str], None]) -> Outcome:
    """Run it, and give what the audit found.

    Raises `DrillError` if it proves nothing, and `StackError`, `AuditError` or `EmulatorError` where something did not come back.
    """
    wait_until(
        lambda: stage.unwell() is None,
        _START,
        lambda: UnwellError(
            f"The stack is not well, so that nothing can be learnt from breaking it: {stage.unwell()}."
        ),
    )
    folder = stage.folder / drill.name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "ledger.jsonl").unlink(missing_ok=True)
    load = Load(drill.amount, folder / "ledger.jsonl", folder, seed)
    try:
        load.start()
        say(drill.what)
        drill.fault(stage, load)
        recovery = _recovered(stage, load, say)
        load.finish()
    finally:
        load.close()
    acknowledged = len(load.acknowledged())
    if acknowledged < ENOUGH:
        raise LoadError(f"{acknowledged} records were acknowledged; a drill with fewer than {ENOUGH} proves nothing.")
    _drain(stage)
    balance = audit(stage.settings, load.ledger)
    say(f"{acknowledged} records acknowledged; {balance.verdict}")
    return Outcome(
        drill,
        acknowledged,
        lost=balance.count("lost"),
        twice=balance.count("twice"),
        recovery=recovery,
        fault=None if balance.balanced else balance.verdict,
    )


def _recovered(stage: Stage, load: Load, say: Callable[[str], None]) -> float:
    """Seconds until the stack is well, and all that had been acknowledged by now has arrived: in the lake, and in the streaming tables."""
    began, owed = time.monotonic(), load.acknowledged()
    wait_until(
        lambda: stage.unwell() is None,
        _RECOVERY,
        lambda: UnwellError(f"Not well {_RECOVERY} s after the fault: {stage.unwell()}."),
        every=1,
    )
    well = time.monotonic() - began
    wait_until(
        lambda: stage.has(owed),
        _RECOVERY,
        lambda: UnwellError(f"{_RECOVERY} s after the fault not all records that were acknowledged have arrived."),
        every=1,
    )
    recovery = time.monotonic() - began
    say(
        f"all is well {well:.0f} s after its end, and all that was acknowledged by then has arrived after {recovery:.0f} s"
    )
    return recovery


def _drain(stage: Stage) -> None:
    with (stage.folder / "drain.log").open("a") as log:
        console = Console(file=log)
        batch.wait_for_the_lake(stage.settings, console)
        batch.clean(stage.settings, console)
        streams.wait_until_read(stage.settings, console)
