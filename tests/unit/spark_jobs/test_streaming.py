"""The streaming path behind its source: files stand in for a stream, everything after them is real."""

import json
import os
import shutil
import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import pytest
from pydantic import SecretStr

from settings import FRAMES, Settings
from spark_jobs import streaming
from spark_jobs.paths import PROGRESS, Lake
from spark_jobs.progress import ProgressLog
from stack.waiting import wait_until

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
        file = folder / f"{number}.json"
        file.write_text("\n".join(map(json.dumps, lines)))
        # Files are read in the order of their times, and two may be written within a tick.
        os.utime(file, (1_800_000_000 + number,) * 2)

    arrive.folder = folder
    return arrive


@pytest.fixture
def take(spark, lake, arrive):
    """Run the query until it has read all that has arrived, one file a batch. Gives what each batch rejected."""

    def take(rejections=None):
        rejections = {} if rejections is None else rejections
        records = spark.readStream.schema(SCHEMA).option("maxFilesPerTrigger", 1).json(str(arrive.folder))
        query = streaming.store_as_delta(records, lake, "user", SETTINGS.table("user"), rejections)
        try:
            query.processAllAvailable()
        finally:
            query.stop()
        return rejections

    return take


@pytest.fixture
def s3():
    """A stand-in that keeps what is put, by its path, and counts the puts."""
    objects = {}

    class Handler(BaseHTTPRequestHandler):
        def answer(self, status, body=b""):
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_PUT(self):
            objects.setdefault(self.path, []).append(self.rfile.read(int(self.headers["Content-Length"])))
            self.answer(200)

        def do_GET(self):
            self.answer(200, objects[self.path][-1]) if self.path in objects else self.answer(404)

        def log_message(self, *arguments):
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    server.objects = objects
    yield server
    server.shutdown()
    server.server_close()


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


def test_an_alarm_is_kept_with_the_reports_across_a_restart_until_the_records_are_good_again(
    spark, s3, arrive, take, capsys
):
    settings = SETTINGS.model_copy(
        update={
            "aws_endpoint_url": f"http://127.0.0.1:{s3.server_port}",
            "aws_access_key_id": "test",
            "aws_secret_access_key": SecretStr("test"),
            "quarantine_max_share": 0.5,
            "quarantine_min_records": 2,
        }
    )
    kept = f"/{settings.bucket}/{PROGRESS.format('user')}"

    def reports(batches):
        """What the job that read these batches has left behind."""
        rejections = {}
        log = ProgressLog(settings, rejections)
        spark.streams.addListener(log)
        try:
            take(rejections)
            # Spark reports when it finds the time.
            wait_until(lambda: len(s3.objects.get(kept, ())) == batches, 20, lambda: AssertionError(s3.objects))
        finally:
            spark.streams.removeListener(log)
        assert rejections == {}
        return [json.loads(line) for line in s3.objects[kept][-1].splitlines()]

    arrive((1, {"ind": 1}), (2, "{"))
    arrive((3, "{"), (4, "{"), (5, "{"))
    raised = reports(batches=2)
    assert [(one["records"], one["rejected"]) for one in raised] == [(2, 1), (3, 3)]
    assert raised[1]["alarm"].startswith("Of the latest records, 4 of 5 are bad (80.0 %), where 50 % may be.")
    assert "ALARM: user: Of the latest" in capsys.readouterr().out

    arrive((6, {"ind": 3}))
    arrive((7, {"ind": 4}), (8, {"ind": 5}))
    cleared = reports(batches=4)
    assert [one.get("alarm") for one in cleared] == [None] * 4
    assert "3 of 4 are bad" in json.loads(s3.objects[kept][2].splitlines()[-1])["alarm"]
    assert capsys.readouterr().out.count("user: the alarm is over.") == 1


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


def test_a_query_can_end_when_it_has_read_what_is_there(spark, lake, arrive):
    arrive((1, {"ind": 1, "first_name": "one"}))
    records = spark.readStream.schema(SCHEMA).json(str(arrive.folder))
    query = streaming.store_as_delta(records, lake, "user", SETTINGS.table("user"), {}, streaming.WHAT_IS_THERE)
    assert query.awaitTermination(60)
    assert held(spark, lake) == [(1, "one", "1")]


@pytest.mark.parametrize(("master", "registered"), [("spark://spark-master:7077", ["kinesis"]), ("", [])])
def test_our_kinesis_source_is_for_our_cluster_alone(master, registered):
    """Databricks has one by that name, and Spark refuses a second."""
    names = []
    session = SimpleNamespace(dataSource=SimpleNamespace(register=lambda source: names.append(source.name())))
    streaming.provide_kinesis(session, Settings(user_id="0a1b", spark_master_url=master))
    assert names == registered
