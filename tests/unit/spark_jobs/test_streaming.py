"""The streaming path behind its source: files stand in for a stream, everything after them is real."""

import json
import shutil
from datetime import UTC, datetime

import pytest

from settings import FRAMES, Settings
from spark_jobs import streaming
from spark_jobs.paths import Lake

SCHEMA = "raw string, stream string, shard string, sequence string, subsequence int, arrived_at timestamp"
SETTINGS = Settings(user_id="0a1b")


@pytest.fixture(scope="module")
def prepared(spark, tmp_path_factory):
    """The folder of a lake with the four empty tables. Making them costs more than the tests."""
    folder = tmp_path_factory.mktemp("prepared")
    streaming.prepare(spark, Lake(str(folder)), SETTINGS)
    return folder


@pytest.fixture
def lake(prepared, tmp_path):
    return Lake(shutil.copytree(prepared, tmp_path / "lake").as_posix())


@pytest.fixture
def arrive(tmp_path):
    """Records arrive in a stream, each as (sequence, raw text or user's fields)."""
    folder = tmp_path / "stream"
    folder.mkdir()

    def arrive(*records, shard="shardId-000000000000"):
        lines = [
            {
                "raw": raw if isinstance(raw, str) else json.dumps(raw),
                "stream": "s",
                "shard": shard,
                "sequence": str(sequence),
                "subsequence": 0,
                "arrived_at": datetime(2026, 1, 1, tzinfo=UTC).isoformat(),
            }
            for sequence, raw in records
        ]
        number = len(list(folder.iterdir()))
        (folder / f"{number}.json").write_text("\n".join(map(json.dumps, lines)))

    arrive.folder = folder
    return arrive


@pytest.fixture
def take(spark, lake, arrive):
    """Run the query until it has read all that has arrived, one file a batch."""

    def take():
        records = spark.readStream.schema(SCHEMA).option("maxFilesPerTrigger", 1).json(str(arrive.folder))
        query = streaming.store_as_delta(records, lake, "user", SETTINGS.table("user"))
        try:
            query.processAllAvailable()
        finally:
            query.stop()

    return take


def held(spark, lake):
    rows = spark.read.format("delta").load(lake.stream_table("0a1b_user_table")).orderBy("ind").collect()
    return [(row.ind, row.user_name, row.source_sequence) for row in rows]


def quarantined(spark, lake):
    rows = spark.read.format("delta").load(lake.stream_quarantine).orderBy("sequence").collect()
    return [(row.frame, row.raw, row.stream, row.shard, row.sequence, row.reasons) for row in rows]


def test_of_a_posts_records_the_last_in_its_shard_stays_whatever_the_order_of_reading(spark, lake, arrive, take):
    arrive((99, {"ind": 1, "first_name": "older"}), (100, {"ind": 1, "first_name": "newer"}))
    arrive((98, {"ind": 1, "first_name": "oldest"}), (7, {"ind": 2, "first_name": "two"}))
    arrive((10**55, {"ind": 2, "first_name": "two again"}))
    take()
    assert held(spark, lake) == [(1, "newer", "100"), (2, "two again", str(10**55))]


def test_what_is_read_twice_stands_once(spark, lake, arrive, take):
    arrive((1, {"ind": 1, "first_name": "one"}), (2, "{"))
    take()
    before = held(spark, lake), quarantined(spark, lake)
    assert len(before[0]) == len(before[1]) == 1
    streaming.Files(spark).delete(lake.stream_checkpoint("user"))
    take()
    assert (held(spark, lake), quarantined(spark, lake)) == before


def test_a_bad_record_is_quarantined_with_its_place_and_the_query_lives(spark, lake, arrive, take):
    arrive((1, '"text"'), (2, {"ind": 3, "age": 300}))
    arrive((3, {"ind": 4, "first_name": "good"}))
    take()
    assert held(spark, lake) == [(4, "good", "3")]
    assert quarantined(spark, lake) == [
        ("user", '"text"', "s", "shardId-000000000000", "1", ["the record is not one JSON object"]),
        (
            "user",
            '{"ind": 3, "age": 300}',
            "s",
            "shardId-000000000000",
            "2",
            ["age is not a whole number from 0 to 120"],
        ),
    ]


@pytest.mark.parametrize("lost", ["table", "quarantine"])
def test_a_checkpoint_without_its_tables_is_forgotten(spark, lake, arrive, take, lost):
    arrive((1, {"ind": 1, "first_name": "one"}), (2, "{"))
    take()
    before = held(spark, lake), quarantined(spark, lake)
    files = streaming.Files(spark)
    files.delete(lake.stream_table("0a1b_user_table") if lost == "table" else lake.stream_quarantine)
    streaming.prepare(spark, lake, SETTINGS)
    assert not files.exists(lake.stream_checkpoint("user"))
    take()
    assert held(spark, lake) == before[0]
    assert [record[4] for record in quarantined(spark, lake)] == ["2"]


def test_preparing_again_changes_nothing(spark, lake, arrive, take):
    arrive((1, {"ind": 1, "first_name": "one"}))
    take()
    streaming.prepare(spark, lake, SETTINGS)
    assert streaming.Files(spark).exists(lake.stream_checkpoint("user"))
    assert len(held(spark, lake)) == 1


@pytest.mark.parametrize("frame", FRAMES)
def test_the_tables_have_the_contracts_columns_from_the_start(spark, lake, frame):
    columns = spark.read.format("delta").load(lake.stream_table(f"0a1b_{frame}_table")).columns
    kept = ["source_shard", "source_sequence", "source_subsequence"]
    assert columns == [*streaming.tables.COLUMNS[frame], *kept]
