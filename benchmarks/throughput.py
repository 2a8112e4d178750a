"""Records a second into Kinesis and out of it: `python -m benchmarks.throughput` on a running stack.

Stops the streaming job for the time it takes, so that nothing but what is measured runs; it catches up afterwards. What is sent stays: these are
posts like all others.
"""

import argparse
import json
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

from emulator.cli import main as emulate
from emulator.ledger import KinesisAcknowledgement, read_ledger
from stack import compose

WAYS = {
    "gateway → Kinesis, PutRecord, one at a time": (100, "--batch-size 1 --workers 1"),
    "gateway → Kinesis, PutRecord, 4 workers": (300, "--batch-size 1 --workers 4"),
    "gateway → Kinesis, PutRecords of 100": (1000, "--batch-size 100 --workers 2"),
    "SDK → Kinesis, PutRecords of 500": (4000, "--batch-size 500 --workers 1 --via sdk"),
}
"""What is measured: how many posts, of three records each, and how they are sent."""


def into_kinesis(posts: int, options: str) -> tuple[int, float]:
    """Records, and acknowledged records/s from the first acknowledgement to the last."""
    with tempfile.TemporaryDirectory() as folder:
        ledger = Path(folder) / "ledger.jsonl"
        emulate(["streaming", "--posts", str(posts), "--seed", "78", "--ledger", str(ledger), *options.split()])
        times = [e.acknowledged_at or 0.0 for e in read_ledger(ledger) if isinstance(e, KinesisAcknowledgement)]
    first, last = min(times), max(times)
    return len(times), sum(at > first for at in times) / (last - first)


def out_of_kinesis() -> dict[str, tuple[int, float]]:
    """The stream of pins from its beginning, in a driver of its own on the stack's cluster."""
    conf = ("--conf=spark.cores.max=2", "--conf=spark.driver.memory=512m", "--conf=spark.executor.memory=512m")
    said = compose.capture(
        "run", "--rm", "--no-deps", "--volume", f"{compose.ROOT / 'benchmarks'}:/opt/pipeline/benchmarks:ro", "spark-streaming",
        "spark-submit", "--properties-file=/opt/spark/conf/spark-defaults.conf", "--conf=spark.sql.shuffle.partitions=1", *conf,
        "/opt/pipeline/benchmarks/kinesis_job.py",
    )  # fmt: skip
    found: dict[str, tuple[int, float]] = json.loads(said.splitlines()[-1])
    return found


def main() -> None:
    argparse.ArgumentParser(description=__doc__).parse_args()
    compose.run("stop", "spark-streaming")
    try:
        figures = {name: into_kinesis(*way) for name, way in WAYS.items()} | out_of_kinesis()
    finally:
        compose.run("start", "spark-streaming")
    shown = Table(title="Throughput", title_justify="left")
    for column in ("what", "records", "records/s"):
        shown.add_column(column, justify="left" if column == "what" else "right")
    for name, (records, rate) in figures.items():
        shown.add_row(name, f"{records:,}", f"{rate:,.0f}")
    Console().print(shown)


if __name__ == "__main__":
    main()
