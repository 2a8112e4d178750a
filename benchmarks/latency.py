"""How long a post takes from its acknowledgement by Kinesis to its row in Delta: `python -m benchmarks.latency` on a running stack.

Sends posts at a steady rate through the gateway, and then reads both ends' own records of time: the ledger's `acknowledged_at`, and in the
table's log the moment of the commit that added the row. Nothing polls meanwhile, so nothing is disturbed. Rows that a later record of
the same post replaced within their batch were never in a table, and are left out.
"""

import argparse
import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.table import Table

from emulator.cli import main as emulate
from emulator.ledger import KinesisAcknowledgement, read_ledger
from settings import FRAMES, Frame, Settings
from stack import lake, streams


def commits(settings: Settings, frame: Frame, since: float) -> Iterator[tuple[str, float]]:
    """Each row's sequence number and the second of its commit, for every commit after `since` that added rows."""
    path = f"streaming/{settings.table(frame)}"
    table = lake.table(settings, path)
    assert table is not None, f"there is no table {path}"
    seen: set[str] = set()
    times = {entry["version"]: entry["timestamp"] / 1000 for entry in table.history()}
    for version in sorted(number for number, at in times.items() if at > since):
        table.load_as_version(version)
        for sequence in lake.rows(table, "source_sequence")["source_sequence"].to_pylist():
            if sequence not in seen:
                seen.add(sequence)
                yield sequence, times[version]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=float, default=50, help="posts a second (50)")
    parser.add_argument("--duration", type=float, default=120, help="seconds (120)")
    parser.add_argument("--batch-size", type=int, default=50, help="records a request (50)")
    parser.add_argument("--via", choices=("gateway", "sdk"), default="gateway")
    options = parser.parse_args()
    settings, console = Settings.load(), Console()
    with tempfile.TemporaryDirectory() as folder:
        ledger = Path(folder) / "ledger.jsonl"
        emulate(
            ["streaming", "--rate", str(options.rate), "--duration", str(options.duration), "--seed", "77", "--via", options.via,
             "--batch-size", str(options.batch_size), "--workers", "4", "--ledger", str(ledger)]
        )  # fmt: skip
        streams.wait_until_read(settings, console)
        acknowledged = {e.sequence: e for e in read_ledger(ledger) if isinstance(e, KinesisAcknowledgement)}
    first = min(entry.acknowledged_at or 0.0 for entry in acknowledged.values())
    shown = Table(title="Seconds from acknowledgement to row", title_justify="left")
    for column in ("frame", "rows", "p50", "p95", "most"):
        shown.add_column(column, justify="right")
    for frame in FRAMES:
        took = [
            at - (acknowledged[sequence].acknowledged_at or 0.0)
            for sequence, at in commits(settings, frame, first)
            if sequence in acknowledged
        ]
        cuts = statistics.quantiles(took, n=20)
        shown.add_row(frame, str(len(took)), f"{cuts[9]:.1f}", f"{cuts[18]:.1f}", f"{max(took):.1f}")
    console.print(shown)


if __name__ == "__main__":
    main()
