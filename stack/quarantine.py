"""`make quarantine`: why records were rejected, how often, and some of them, of both paths."""

from dataclasses import dataclass

from deltalake import DeltaTable
from rich.console import Console
from rich.table import Table
from rich.text import Text

from settings import Settings
from spark_jobs.excerpt import excerpt
from spark_jobs.logs import KAFKA, KINESIS, Log
from stack import lake

PATHS = {"batch": KAFKA, "streaming": KINESIS}
"""Each path's log. Its quarantine is at `<path>/quarantine` in the lake."""

SAMPLES = 3
"""Shown of each reason, the newest."""


@dataclass(frozen=True)
class Rejection:
    """One reason against records of one frame: how many records, and the newest of them, each as (place in its log, raw text)."""

    frame: str
    reason: str
    records: int
    samples: list[tuple[str, str]]


def rejections(quarantine: DeltaTable, log: Log) -> list[Rejection]:
    """Each reason in a path's quarantine, the commonest first. A record counts for each reason against it.

    A place is `topic/partition/offset` or `stream/shard/sequence/subsequence`; a raw text is cut where nobody reads on.
    """
    place = ", ".join(f'"{name}"' for name in log.identity)
    found = lake.query(
        quarantine,
        f"""
        SELECT frame, reason, records, concat_ws('/', {place}) AS place, substr(raw, 1, 1000) AS raw FROM (
            SELECT *, count(*) OVER (PARTITION BY frame, reason) AS records,
                row_number() OVER (PARTITION BY frame, reason ORDER BY quarantined_at DESC, {place}) AS number
            FROM (SELECT *, unnest(reasons) AS reason FROM rows)
        ) WHERE number <= {SAMPLES} ORDER BY records DESC, frame, reason, number
        """,
    )
    by_reason: dict[tuple[str, str], Rejection] = {}
    for row in found.to_pylist():
        one = by_reason.setdefault(
            (row["frame"], row["reason"]), Rejection(row["frame"], row["reason"], row["records"], [])
        )
        one.samples.append((row["place"], row["raw"]))
    return list(by_reason.values())


def show(settings: Settings, console: Console) -> None:
    """Print both paths'. Raises `DataError` where the lake is out of reach."""
    shown = Table("path", "frame", title="Quarantine", title_justify="left", show_lines=True)
    shown.add_column("records", justify="right")
    shown.add_column("reason, and the newest records", overflow="fold")
    for path, log in PATHS.items():
        quarantine = lake.table(settings, f"{path}/quarantine")
        for one in rejections(quarantine, log) if quarantine else []:
            shown.add_row(path, one.frame, f"{one.records:,}", described(one))
    if shown.row_count:
        console.print(shown)
        console.print("A record counts for each reason. After a fix of the cleaning: `make replay`.")
    else:
        console.print("Nothing is in quarantine.")


def described(one: Rejection) -> Text:
    """The reason, then each sample: its place, and its text on the next line. No text is taken for markup."""
    lines = [Text(excerpt(one.reason), "bold")]
    for place, raw in one.samples:
        lines += [Text(excerpt(place, 200), "dim"), Text(f"  {excerpt(raw)}")]
    return Text("\n").join(lines)
