"""MySQL → emulator → API Gateway → Kinesis → Spark Structured Streaming → Delta: each acknowledged post stands in its table, once.

The tests of this module build on each other in their order.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from rich.console import Console

from emulator.ledger import KinesisAcknowledgement, read_ledger
from settings import FRAMES, Frame, Settings
from stack import lake, streams
from stack.waiting import wait_until
from tests.integration.conftest import Stack

if TYPE_CHECKING:
    from mypy_boto3_kinesis.type_defs import ShardTypeDef

POSTS = 1700
"""Of three records each: more than 5,000."""


@pytest.fixture(scope="module")
def ledger(stack: Stack) -> Path:
    return stack.folder / "streaming-ledger.jsonl"


def acknowledged(ledger: Path) -> list[KinesisAcknowledgement]:
    return [entry for entry in read_ledger(ledger) if isinstance(entry, KinesisAcknowledgement)]


def last_places(ledger: Path, frame: Frame) -> dict[int, tuple[str, str]]:
    """Of each post the shard and sequence number of its record that Kinesis took last."""
    places: dict[int, tuple[str, str]] = {}
    for entry in sorted((one for one in acknowledged(ledger) if one.frame == frame), key=lambda one: int(one.sequence)):
        places[entry.index] = (entry.shard, entry.sequence)
    return places


def rows(settings: Settings, path: str) -> list[dict[str, Any]]:
    table = lake.table(settings, f"streaming/{path}")
    assert table is not None, f"there is no table {path}"
    found: list[dict[str, Any]] = lake.rows(table).to_pylist()
    return found


def assert_tables_are_the_ledgers(settings: Settings, ledger: Path) -> None:
    assert len(acknowledged(ledger)) >= 3 * POSTS > 5000, "too little was sent for this test to mean anything"
    streams.wait_until_read(settings, Console())
    for frame in FRAMES:
        held = rows(settings, settings.table(frame))
        places: Mapping[int, tuple[str, str]] = {r["ind"]: (r["source_shard"], r["source_sequence"]) for r in held}
        assert len(held) == len(places), f"{frame}: a post stands twice"
        assert places == last_places(ledger, frame)


def emulate(stack: Stack, ledger: Path, posts: int, *options: str) -> None:
    stack.run("emulator", "streaming", "--posts", str(posts), "--ledger", str(ledger), *options)


def test_posts_come_in_every_body_form_and_stand_once(stack: Stack, ledger: Path) -> None:
    emulate(stack, ledger, 20, "--seed", "1")
    emulate(stack, ledger, POSTS // 2, "--seed", "2", "--batch-size", "100", "--body-form", "classic")
    emulate(stack, ledger, POSTS // 2, "--seed", "3", "--batch-size", "100", "--body-form", "aws")
    assert_tables_are_the_ledgers(stack.settings, ledger)


def test_posts_that_are_sent_again_stand_once(stack: Stack, ledger: Path) -> None:
    before = {frame: len(rows(stack.settings, stack.settings.table(frame))) for frame in FRAMES}
    emulate(stack, ledger, 500, "--seed", "2", "--batch-size", "100", "--via", "sdk")
    assert_tables_are_the_ledgers(stack.settings, ledger)
    assert {frame: len(rows(stack.settings, stack.settings.table(frame))) for frame in FRAMES} == before


def test_what_is_no_post_is_quarantined_and_the_query_lives(stack: Stack, ledger: Path) -> None:
    settings = stack.settings
    kinesis = boto3.client("kinesis", **settings.client_options("kinesis"))
    bad = {b"not JSON": "JSON", b'{"ind": 7, "age": 300}': "age", b"\xff\xfe": "UTF-8"}
    places = {}
    for data, reason in bad.items():
        answer = kinesis.put_record(StreamName=settings.stream("user"), Data=data, PartitionKey="bad")
        places[answer["ShardId"], answer["SequenceNumber"]] = reason
    emulate(stack, ledger, 10, "--seed", "4", "--batch-size", "10")
    assert_tables_are_the_ledgers(settings, ledger)
    found = {(row["shard"], row["sequence"]): row for row in rows(settings, "quarantine")}
    assert set(found) == set(places)
    for place, reason in places.items():
        assert found[place]["frame"] == "user"
        assert found[place]["stream"] == settings.stream("user")
        assert any(reason in why for why in found[place]["reasons"]), found[place]["reasons"]


def test_too_many_bad_records_raise_an_alarm_until_enough_good_ones_have_come(stack: Stack, ledger: Path) -> None:
    """Judged by the latest 500, of which more than a fifth may not be bad."""
    settings = stack.settings
    kinesis = boto3.client("kinesis", **settings.client_options("kinesis"))
    for _ in range(2):
        bad = [{"Data": b'{"age": 7}', "PartitionKey": str(key)} for key in range(300)]
        answer = kinesis.put_records(StreamName=settings.stream("user"), Records=bad)  # type: ignore[arg-type]
        assert not answer.get("FailedRecordCount")
    assert_tables_are_the_ledgers(settings, ledger)

    # Spark reports a batch some time after its rows are there.
    wait_until(lambda: len(streams.alarms(settings)) == 1, 60, lambda: AssertionError("no alarm was raised"))
    shown = stack.run("stack", "status", check=False)
    assert shown.returncode == 1
    assert re.search(r"^ALARM: user: Of the latest records, [\d,]+ of [\d,]+ are bad", shown.stdout, re.MULTILINE)
    emulate(stack, ledger, 600, "--seed", "8", "--batch-size", "100")
    wait_until(lambda: not streams.alarms(settings), 60, lambda: AssertionError("the alarm is not over"))
    assert_tables_are_the_ledgers(settings, ledger)


def test_a_killed_worker_loses_nothing_and_doubles_nothing(stack: Stack, ledger: Path) -> None:
    """Killed while a backlog is being read, and started again. The driver's death and LocalStack's are drills."""
    settings = stack.settings
    versions = lake.table(settings, f"streaming/{settings.table('pin')}")
    assert versions is not None
    before = versions.version()
    with (stack.folder / "load.log").open("w") as log:
        load = stack.start(
            "emulator", "streaming", "--posts", "400", "--rate", "20", "--batch-size", "10", "--seed", "5",
            "--ledger", str(ledger), output=log,
        )  # fmt: skip

        def is_under_way() -> bool:
            table = lake.table(settings, f"streaming/{settings.table('pin')}")
            return table is not None and table.version() > before

        wait_until(is_under_way, 120, lambda: AssertionError("the load does not reach the tables"))
        assert load.poll() is None, "the load ended before anything was killed"
        stack.docker("kill", stack.container("spark-worker"))
        stack.docker("start", stack.container("spark-worker"))
        assert load.wait(180) == 0
    assert_tables_are_the_ledgers(settings, ledger)


def test_a_split_and_a_merge_under_load_lose_nothing_and_keep_the_order(stack: Stack, ledger: Path) -> None:
    settings = stack.settings
    stream = settings.stream("pin")
    kinesis = boto3.client("kinesis", **settings.client_options("kinesis"))

    def open_shards() -> list[tuple[int, int, str]]:
        """By their range of hash keys."""
        shards = kinesis.list_shards(StreamName=stream)["Shards"]
        ranges = [(shard["HashKeyRange"], shard) for shard in shards if _is_open(shard)]
        return sorted((int(keys["StartingHashKey"]), int(keys["EndingHashKey"]), s["ShardId"]) for keys, s in ranges)

    def wait_until_active() -> None:
        def is_active() -> bool:
            summary = kinesis.describe_stream_summary(StreamName=stream)["StreamDescriptionSummary"]
            return summary["StreamStatus"] == "ACTIVE"

        wait_until(is_active, 60, lambda: AssertionError(f"{stream} is not active"))

    before = len(acknowledged(ledger))
    with (stack.folder / "load.log").open("w") as log:
        load = stack.start(
            "emulator", "streaming", "--posts", "500", "--rate", "20", "--batch-size", "10", "--seed", "9",
            "--ledger", str(ledger), output=log,
        )  # fmt: skip
        wait_until(lambda: len(acknowledged(ledger)) > before, 60, lambda: AssertionError("no load"))
        first, last, parent = open_shards()[0]
        middle = str((first + last) // 2)
        kinesis.split_shard(StreamName=stream, ShardToSplit=parent, NewStartingHashKey=middle)
        wait_until_active()
        children = open_shards()
        assert parent not in {shard for _, _, shard in children}
        split = len(acknowledged(ledger))
        wait_until(lambda: len(acknowledged(ledger)) > split + 150, 60, lambda: AssertionError("the load has ended"))
        kinesis.merge_shards(StreamName=stream, ShardToMerge=children[0][2], AdjacentShardToMerge=children[1][2])
        wait_until_active()
        assert load.poll() is None, "the load ended before the shards were merged"
        assert load.wait(180) == 0
    assert_tables_are_the_ledgers(settings, ledger)
    used = {entry.shard for entry in acknowledged(ledger)[before:] if entry.stream == stream}
    assert len(used) >= 4, "the load did not reach the new shards"


def _is_open(shard: "ShardTypeDef") -> bool:
    return "EndingSequenceNumber" not in shard["SequenceNumberRange"]


def test_the_streams_status_is_shown(stack: Stack) -> None:
    shown = stack.run("stack", "stream-status").stdout
    assert {line.split()[0] for line in shown.splitlines() if line.strip()} >= set(FRAMES)
