"""What the audit's balance takes for ten times as many records: memory and time. It needs no stack; the records are made up.

python -m benchmarks.balance
"""

import resource
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from typing import Any

from audit.books import opened
from audit.sources import BATCH

SIZES = (100_000, 1_000_000)
TOPIC = "demo.pin"
POSTS = 11_001
"""Fewer than records: most are superseded, as in a run of the emulator."""


def balance(records: int) -> None:
    """Books that balance: each record acknowledged, in Kafka, in an object of 1,000 lines, and its post's last one in the table."""
    last = {offset % POSTS: offset for offset in range(records)}
    objects = range(0, records, 1000)
    started = time.monotonic()
    with opened() as books:
        books.enter("partitions", [{"topic": [TOPIC], "partition": [0], "first_offset": [0]}])
        books.enter("acknowledged", _places(records, frame="pin", ind=True))
        books.enter("records", _places(records, tombstone=False))
        books.enter("lines", _places(records, frame="pin", ind=True))
        books.enter(
            "objects",
            [
                {
                    "key": [str(first) for first in objects],
                    "topic": [TOPIC] * len(objects),
                    "partition": [0] * len(objects),
                    "first_offset": list(objects),
                    "lines": [1000] * len(objects),
                    "said_last": [first + 999 for first in objects],
                }
            ],
        )
        books.enter(
            "rows",
            [
                {
                    "frame": ["pin"] * len(last),
                    "ind": list(last),
                    "partition": [0] * len(last),
                    "offset": list(last.values()),
                }
            ],
        )
        found = books.balance()
    if not found.balanced or found.acknowledged != records:
        raise SystemExit(f"The books were made to balance: {found.verdict}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{records:>9} records: {time.monotonic() - started:5.1f} s, at most {peak:.0f} MiB")


def _places(records: int, ind: bool = False, **fixed: Any) -> Iterator[Mapping[str, list[Any]]]:
    for start in range(0, records, BATCH):
        offsets = list(range(start, min(start + BATCH, records)))
        each = {"topic": TOPIC, "partition": 0} | fixed
        columns = {name: [value] * len(offsets) for name, value in each.items()}
        yield columns | {"offset": offsets} | ({"ind": [offset % POSTS for offset in offsets]} if ind else {})


def main() -> None:
    if len(sys.argv) == 2:
        balance(int(sys.argv[1]))
        return
    for size in SIZES:  # each in a process of its own, whose peak is its own
        subprocess.run([sys.executable, "-m", "benchmarks.balance", str(size)], check=True)


if __name__ == "__main__":
    main()
