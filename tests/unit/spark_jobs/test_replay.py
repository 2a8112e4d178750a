"""Records that were rejected once, and cleaning that has changed since."""

import json
import shutil

import pytest
from delta.tables import DeltaTable

from settings import Settings
from spark_jobs import cleaning, quarantine, replay, streaming, tables
from spark_jobs.batch import clean_frame
from spark_jobs.check import check
from spark_jobs.errors import MissingTableError
from spark_jobs.limit import Limit
from spark_jobs.logs import KAFKA, KINESIS
from spark_jobs.paths import Lake
from spark_jobs.replay import Replayed

TOPIC = "0a1b.user"
SETTINGS = Settings(user_id="0a1b")
LINES = [
    {"ind": 1, "first_name": "older", "age": 130},
    {"ind": 1, "first_name": "newest", "age": 30},
    {"ind": 2, "first_name": "older", "age": 30},
    {"ind": 2, "first_name": "newest", "age": 130},
    {"ind": 3, "first_name": "alone", "age": 130},
    {"ind": 4, "first_name": "older", "age": 130},
    {"ind": 4, "first_name": "newest", "age": 140},
    {"ind": 5, "age": 130, "date_joined": "yesterday"},
    "no JSON \ufffd",
    b'{"ind": 6, "first_name": "\xff"}',
]
"""Users, of which a cleaning that knows older people accepts all but the last three."""


@pytest.fixture(scope="module")
def rejected(spark, tmp_path_factory):
    """The folder of a lake in which today's cleaning has been at work."""
    root = tmp_path_factory.mktemp("rejected")
    folder = root / "topics" / TOPIC / "partition=0"
    folder.mkdir(parents=True)
    lines = [
        line if isinstance(line, bytes) else (line if isinstance(line, str) else json.dumps(line)).encode()
        for line in LINES
    ]
    (folder / f"{TOPIC}+0+0000000000.json").write_bytes(b"".join(line + b"\n" for line in lines))
    clean_frame(spark, Lake(str(root)), "user", TOPIC, Limit(1, 1))
    return root


@pytest.fixture
def lake(rejected, tmp_path):
    return Lake(shutil.copytree(rejected, tmp_path / "lake").as_posix())


@pytest.fixture
def mended(monkeypatch):
    """The cleaning accepts any age from now on."""
    real = cleaning.is_no_integer
    monkeypatch.setattr(
        cleaning, "is_no_integer", lambda name, low, high: real(name, low, 150 if name == "age" else high)
    )


def users(spark, path):
    return {row.ind: row.user_name for row in spark.read.format("delta").load(path).collect()}


def kept(spark, path):
    return {row.offset: row.reasons for row in spark.read.format("delta").load(path).collect()}


def versions(spark, lake):
    paths = (lake.table("user"), lake.quarantine)
    return [DeltaTable.forPath(spark, path).history(1).first().version for path in paths]


BEFORE = {1: "newest", 2: "older"}
AFTER = {1: "newest", 2: "newest", 3: "alone", 4: "newest"}
STILL = {
    7: ["date_joined is not a date"],
    8: ["the record is not one JSON object"],
    9: ["the record is not UTF-8"],
}


def test_what_is_accepted_now_moves_into_the_table_and_twice_changes_nothing(spark, lake, mended):
    assert users(spark, lake.table("user")) == BEFORE
    assert replay.replay(spark, lake, SETTINGS) == Replayed(records=8, accepted=5)
    assert users(spark, lake.table("user")) == AFTER
    assert kept(spark, lake.quarantine) == STILL
    assert check(spark, lake, {"user": TOPIC}) == "user: 4 rows + 3 superseded + 3 quarantined = 10 lines read"

    before = versions(spark, lake)
    done = replay.replay(spark, lake, SETTINGS)
    assert str(done) == "3 records looked at, 0 accepted now, 3 still rejected"
    assert versions(spark, lake) == before


def test_without_a_fix_nothing_is_written(spark, lake):
    before = versions(spark, lake)
    assert replay.replay(spark, lake, SETTINGS) == Replayed(records=8, accepted=0)
    assert versions(spark, lake) == before


def test_a_replay_that_dies_half_way_is_completed_by_the_next(spark, lake, mended, monkeypatch):
    def die(*arguments):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(quarantine, "settle", die)
        with pytest.raises(KeyboardInterrupt):
            replay.replay(spark, lake, SETTINGS)
    assert users(spark, lake.table("user")) == AFTER
    assert len(kept(spark, lake.quarantine)) == 8
    assert replay.replay(spark, lake, SETTINGS) == Replayed(records=8, accepted=5)
    assert (users(spark, lake.table("user")), kept(spark, lake.quarantine)) == (AFTER, STILL)
    assert "= 10 lines read" in check(spark, lake, {"user": TOPIC})


def test_what_another_job_quarantines_meanwhile_stays_there(spark, lake, mended, monkeypatch):
    """Even if it came so late that it is not merged, and cleaning would accept it."""
    real = tables.merge
    late = spark.createDataFrame(
        [('{"ind": 9, "age": 130}', "object", TOPIC, 0, 99, ["age is not a whole number from 0 to 120"])],
        "raw string, source string, topic string, partition int, `offset` bigint, reasons array<string>",
    )

    def slow(path, rows, log):
        merged = real(path, rows, log)
        quarantine.insert(lake.quarantine, quarantine.quarantined(late, "user", KAFKA), "user", KAFKA)
        spark.catalog.clearCache()  # an executor dies: what it held is computed again
        return merged

    monkeypatch.setattr(tables, "merge", slow)
    assert replay.replay(spark, lake, SETTINGS) == Replayed(records=8, accepted=5)
    assert kept(spark, lake.quarantine).keys() == STILL.keys() | {99}


def test_without_its_table_a_frame_is_not_replayed(spark, lake, mended):
    shutil.rmtree(lake.table("user"))
    with pytest.raises(MissingTableError, match="the 5 records of user that are accepted now"):
        replay.replay(spark, lake, SETTINGS)
    assert len(kept(spark, lake.quarantine)) == 8


def test_the_streaming_path_is_replayed_in_the_order_of_its_shards(spark, tmp_path, mended):
    lake, table = Lake(str(tmp_path)), SETTINGS.table("user")
    streaming.prepare(spark, lake, SETTINGS)
    schema = "raw string, stream string, shard string, sequence string, subsequence int"

    def put(*records):
        rows = [(json.dumps({"ind": ind, "first_name": name}), "s", "shard", str(at), 0) for at, ind, name in records]
        return cleaning.clean(spark.createDataFrame(rows, schema), "user")

    current = put((9, 1, "older"), (10**55, 2, "newest"))
    tables.merge(lake.stream_table(table), tables.latest(current, "user", KINESIS), KINESIS)
    # One of them twice, as a source may read what it has not committed.
    once = put((10, 1, "newest"), (11, 2, "older"), (11, 2, "older")).selectExpr(
        "* except (reasons)", "array('once bad') as reasons"
    )
    quarantine.insert(lake.stream_quarantine, quarantine.quarantined(once, "user", KINESIS), "user", KINESIS)
    assert replay.replay(spark, lake, SETTINGS) == Replayed(records=3, accepted=3)
    assert users(spark, lake.stream_table(table)) == {1: "newest", 2: "newest"}
    assert spark.read.format("delta").load(lake.stream_quarantine).count() == 0
