"""MySQL → emulator → API Gateway → REST proxy → Kafka → Kafka Connect → S3 → Spark → Delta, run by Airflow, against an oracle.

The tests of this module tell one story on one stack and build on each other in their order.
"""

import json
import re
from pathlib import Path
from typing import Any

import boto3
import pyarrow as pa
import pymysql
import pytest
import requests
from confluent_kafka import Consumer, Message, Producer, TopicPartition
from deltalake import write_deltalake

from emulator.ledger import KafkaAcknowledgement, read_ledger
from settings import FRAMES, Frame, Settings
from stack import connector, databricks, lake, topics
from stack.waiting import wait_until
from tests.integration.conftest import Stack
from tests.oracle import ANSWERS, answers, compare

POSTS = 3000
MORE = 700
"""Enough for the bad records to be fewer than a fifth."""
SOURCE_TABLES: dict[Frame, tuple[str, str]] = {
    "pin": ("pinterest_data", "index"),
    "geo": ("geolocation_data", "ind"),
    "user": ("user_data", "ind"),
}


@pytest.fixture(scope="module")
def ledger(stack: Stack) -> Path:
    return stack.folder / "ledger.jsonl"


def acknowledged(ledger: Path) -> list[KafkaAcknowledgement]:
    found = [entry for entry in read_ledger(ledger) if isinstance(entry, KafkaAcknowledgement)]
    assert len(found) >= 3 * POSTS, "too little was sent for this test to mean anything"
    return found


def wait_for_the_lake(settings: Settings) -> None:
    ends = topics.end_offsets(settings)
    wait_until(
        lambda: lake.behind(settings, ends) == 0,
        120,
        lambda: AssertionError(
            f"{lake.behind(settings, ends)} records of {ends} have not landed: {lake.landed(settings)}"
        ),
    )


def posted_rows(settings: Settings, indices: set[int]) -> dict[Frame, pa.Table]:
    """The source's rows of the posts that were sent, straight from MySQL."""
    with (
        pymysql.connect(
            host=settings.mysql_host,
            port=settings.mysql_port,
            user=settings.mysql_user,
            password=settings.mysql_password.get_secret_value(),
            database=settings.mysql_database,
            cursorclass=pymysql.cursors.DictCursor,
        ) as connection,
        connection.cursor() as cursor,
    ):
        rows: dict[Frame, pa.Table] = {}
        for frame, (table, key) in SOURCE_TABLES.items():
            cursor.execute(f"SELECT * FROM {table} WHERE `{key}` IN %s", (sorted(indices),))
            rows[frame] = pa.Table.from_pylist(list(cursor.fetchall()))
        return rows


def given_answers(settings: Settings) -> dict[str, pa.Table]:
    tables = {name: lake.table(settings, f"answers/{name}") for name in ANSWERS}
    assert all(table is not None for table in tables.values()), "an answer is missing"
    return {name: lake.rows(table) for name, table in tables.items() if table is not None}


def assert_answers_are_the_oracles(settings: Settings, ledger: Path) -> None:
    rows = posted_rows(settings, {entry.index for entry in acknowledged(ledger)})
    expected, given = answers(rows["pin"], rows["geo"], rows["user"]), given_answers(settings)
    assert sum(table.num_rows for table in given.values()) > 100
    differences = [f"{name}: {difference}" for name in ANSWERS for difference in compare(given[name], expected[name])]
    assert not differences, "\n".join(differences)


def frame_table(settings: Settings, path: str) -> list[dict[str, Any]]:
    table = lake.table(settings, path)
    assert table is not None, f"there is no table {path}"
    rows: list[dict[str, Any]] = lake.rows(table).to_pylist()
    return rows


def objects_lines(settings: Settings) -> dict[tuple[str, int, int], dict[str, Any]]:
    """Every line of the raw objects by (topic, partition, offset); a line that stands twice fails."""
    s3 = boto3.client("s3", **settings.client_options("s3"))
    found: dict[tuple[str, int, int], dict[str, Any]] = {}
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=settings.bucket, Prefix="topics/"):
        for item in page.get("Contents", []):
            name = lake.OBJECT_NAME.match(item["Key"])
            assert name, f"{item['Key']} has no place in the lake's layout (contract §5)"
            text = s3.get_object(Bucket=settings.bucket, Key=item["Key"])["Body"].read().decode()
            assert text.endswith("\n")
            for number, line in enumerate(text.splitlines()):
                place = (name["topic"], int(name["partition"]), int(name["start"]) + number)
                assert place not in found, f"{place} has landed twice"
                found[place] = json.loads(line)
    return found


def test_every_service_is_well(stack: Stack) -> None:
    done = stack.run("stack", "status")
    assert "RUNNING" in done.stdout


def test_posts_are_acknowledged_and_land_once_where_the_ledger_says(stack: Stack, ledger: Path) -> None:
    stack.run(
        "emulator", "batch", "--posts", str(POSTS), "--batch-size", "100", "--workers", "2", "--ledger", str(ledger)
    )
    wait_for_the_lake(stack.settings)
    lines = objects_lines(stack.settings)
    entries = acknowledged(ledger)
    assert len(lines) >= len(entries)
    for entry in entries:
        value = lines[entry.topic, entry.partition, entry.offset]
        assert value["index" if entry.frame == "pin" else "ind"] == entry.index


def test_airflow_runs_the_batch_and_the_answers_are_the_oracles(stack: Stack, ledger: Path) -> None:
    stack.run("stack", "batch")
    assert_answers_are_the_oracles(stack.settings, ledger)


def test_answers_are_printed_for_a_person(stack: Stack) -> None:
    shown = stack.run("stack", "answers").stdout
    assert all(f"{number} · " in shown for number in range(1, 9))


def test_tables_hold_each_post_once(stack: Stack, ledger: Path) -> None:
    posted = {entry.index for entry in acknowledged(ledger)}
    for frame in FRAMES:
        inds = [row["ind"] for row in frame_table(stack.settings, f"batch/{frame}")]
        assert len(inds) == len(set(inds))
        assert set(inds) == posted


BAD = {
    '{"country": "Nowhere", "latitude": 1.0, "longitude": 1.0, "timestamp": "2020-01-01 00:00:00"}': "ind",
    '{"ind": 1, "country": "X", "latitude": 91.5, "longitude": 1.0, "timestamp": "2020-01-01 00:00:00"}': "latitude",
    '{"ind": 2, "country": "X", "latitude": 1.0, "longitude": -181, "timestamp": "2020-01-01 00:00:00"}': "longitude",
    '{"ind": 3, "country": "X", "latitude": 1.0, "longitude": 1.0, "timestamp": "yesterday"}': "timestamp",
    '"just a string"': "object",
}
MALFORMED = b'{"ind": 4, "country": '
NO_IND = 150
"""So many more without `ind`: with the others enough to be too many for a run, if the good ones are not five times as many."""


def send_bad_records(settings: Settings, *values: bytes) -> dict[tuple[int, int], str]:
    """These and `NO_IND` more, to geo's first partition. Gives each record's text by its partition and offset."""
    producer = Producer({"bootstrap.servers": settings.kafka_bootstrap_servers})
    places: dict[tuple[int, int], str] = {}

    def keep(_: object, message: Message) -> None:
        places[message.partition() or 0, message.offset() or 0] = (message.value() or b"").decode()

    for value in (*values, *(f'{{"latitude": {n}}}'.encode() for n in range(NO_IND))):
        producer.produce(settings.topic("geo"), value, partition=0, on_delivery=keep)
    assert producer.flush(30) == 0
    wait_for_the_lake(settings)
    return places


@pytest.fixture(scope="module")
def bad_places(stack: Stack) -> dict[tuple[int, int], str]:
    return send_bad_records(stack.settings, MALFORMED, *map(str.encode, BAD))


def test_malformed_json_is_dead_lettered_and_the_sink_goes_on(
    stack: Stack, bad_places: dict[tuple[int, int], str]
) -> None:
    assert connector.state(stack.settings) == "RUNNING"
    ((value, headers),) = dead_letters(stack.settings, wanted=1)
    assert value == MALFORMED
    assert headers["__connect.errors.topic"] == stack.settings.topic("geo").encode()
    assert bad_places[0, int(headers["__connect.errors.offset"])] == MALFORMED.decode()


def test_bad_records_among_enough_good_ones_are_quarantined_with_every_reason(
    stack: Stack, ledger: Path, bad_places: dict[tuple[int, int], str]
) -> None:
    settings = stack.settings
    stack.run("emulator", "batch", "--posts", str(MORE), "--batch-size", "100", "--seed", "7", "--ledger", str(ledger))
    wait_for_the_lake(settings)
    stack.run("stack", "batch")
    quarantined = {(row["partition"], row["offset"]): row for row in frame_table(settings, "batch/quarantine")}
    sent = {place: text for place, text in bad_places.items() if text != MALFORMED.decode()}
    assert set(quarantined) == set(sent)
    for place, text in sent.items():
        row = quarantined[place]
        assert row["topic"] == settings.topic("geo")
        assert json.loads(row["raw"]) == json.loads(text)
        assert any(BAD.get(text, "ind") in why for why in row["reasons"]), row["reasons"]
    assert_answers_are_the_oracles(settings, ledger)


def test_quarantine_shows_each_reason_with_its_records(stack: Stack) -> None:
    shown = stack.run("stack", "quarantine").stdout
    assert re.search(rf"batch\W+geo\W+{NO_IND + 1}\W+ind ", shown), shown
    assert "91.5" in shown


def test_what_an_earlier_cleaning_rejected_is_replayed(stack: Stack, ledger: Path) -> None:
    """Its doing is made by hand: a row is taken from the table, and the record that it came from put into quarantine."""
    settings = stack.settings
    table, quarantine = lake.table(settings, "batch/geo"), lake.table(settings, "batch/quarantine")
    assert table is not None
    assert quarantine is not None
    rows, rejected = lake.rows(table), lake.rows(quarantine)
    victim = rows.slice(0, 1).to_pylist()[0]
    partition, offset = victim["source_partition"], victim["source_offset"]
    line = objects_lines(settings)[settings.topic("geo"), partition, offset]
    record = {"raw": json.dumps(line), "partition": partition, "offset": offset, "reasons": ["an earlier cleaning's"]}
    record = rejected.slice(0, 1).to_pylist()[0] | record
    table.delete(f"ind = {victim['ind']}")
    write_deltalake(quarantine, pa.Table.from_pylist([record], rejected.schema), mode="append")

    said = stack.run("stack", "replay").stdout
    looked_at = rejected.num_rows + 1
    assert f"{looked_at} records looked at, 1 accepted now, {rejected.num_rows} still rejected" in said
    held = {row["ind"]: row for row in frame_table(settings, "batch/geo")}
    assert held == {row["ind"]: row for row in rows.to_pylist()}
    places = {(row["partition"], row["offset"]) for row in frame_table(settings, "batch/quarantine")}
    assert places == {(row["partition"], row["offset"]) for row in rejected.to_pylist()}


def dead_letters(settings: Settings, wanted: int) -> list[tuple[bytes, dict[str, bytes]]]:
    """The dead letters' values and headers, as soon as so many are there."""
    consumer = Consumer(
        {"bootstrap.servers": settings.kafka_bootstrap_servers, "group.id": "test", "enable.auto.commit": "false"}
    )
    consumer.assign([TopicPartition(settings.dead_letter_topic, partition, 0) for partition in range(3)])
    found: list[tuple[bytes, dict[str, bytes]]] = []

    def arrived() -> bool:
        message = consumer.poll(1)
        if message is not None and message.error() is None:
            found.append((message.value() or b"", dict(message.headers() or [])))  # type: ignore[arg-type]
        return len(found) >= wanted

    wait_until(arrived, 60, lambda: AssertionError(f"{len(found)} dead letters came, {wanted} were expected"))
    consumer.close()
    return found


def test_a_run_with_too_many_bad_records_fails_before_it_writes(stack: Stack) -> None:
    """By Databricks' API, as Airflow would try it three times. What it refused is among much more in the next test's full rebuild."""
    settings = stack.settings
    bad, before = len(send_bad_records(settings)), versions(settings)
    run = databricks.submit(settings, "clean_geo", ["clean", "geo"])
    assert databricks.follow(settings, run)["result_state"] == "FAILED"
    assert f"{bad} of {bad} are bad (100.0 %), where 20 % may be" in databricks.job_log(settings, run)[-1]
    assert versions(settings) == before


def versions(settings: Settings) -> list[int]:
    tables = [lake.table(settings, path) for path in ("batch/geo", "batch/quarantine")]
    return [table.version() for table in tables if table is not None]


def test_a_full_rebuild_gives_the_same_tables(stack: Stack, ledger: Path) -> None:
    def rows(frame: Frame) -> list[dict[str, Any]]:
        return sorted(frame_table(stack.settings, f"batch/{frame}"), key=lambda row: row["ind"])

    before = {frame: rows(frame) for frame in FRAMES}
    stack.run("stack", "batch", "--full")
    assert {frame: rows(frame) for frame in FRAMES} == before
    assert_answers_are_the_oracles(stack.settings, ledger)


def test_an_unknown_topic_is_refused_through_the_gateway(stack: Stack) -> None:
    answer = requests.post(
        f"{stack.settings.api_url}/topics/{stack.settings.user_id}.pim",
        data=json.dumps({"records": [{"value": {"index": 1}}]}),
        headers={"Content-Type": "application/vnd.kafka.json.v2+json"},
        timeout=30,
    )
    assert answer.status_code == 404
    assert answer.json()["error_code"] == 40401


def test_the_emulators_user_may_only_read(stack: Stack) -> None:
    settings = stack.settings
    with (
        pymysql.connect(
            host=settings.mysql_host,
            port=settings.mysql_port,
            user=settings.mysql_user,
            password=settings.mysql_password.get_secret_value(),
            database=settings.mysql_database,
        ) as connection,
        connection.cursor() as cursor,
    ):
        for statement in (
            "DELETE FROM user_data",
            "UPDATE user_data SET age = 1",
            "INSERT INTO user_data (ind) VALUES (99999999)",
            "DROP TABLE user_data",
            "CREATE TABLE t (a INT)",
        ):
            with pytest.raises(pymysql.err.OperationalError, match="denied"):
                cursor.execute(statement)


OFFSETS_IN_A_BODY = [
    "--deselect=tests/contract/test_rest_proxy_consumers.py::test_commits_are_where_the_group_reads_on",
    "--deselect=tests/contract/test_rest_proxy_consumers.py::test_what_was_read_is_committed_when_an_instance_is_deleted",
]
"""Confluent asks for committed offsets by a GET with a body, and the gateway drops the body of a GET."""


def test_the_rest_proxy_keeps_confluents_contract_at_both_doors(stack: Stack) -> None:
    """Side by side, as the suite is mostly waiting."""
    settings = stack.settings
    doors = {"rest-proxy": (settings.rest_proxy_url, []), "gateway": (settings.api_url, OFFSETS_IN_A_BODY)}
    said = {door: stack.folder / f"contract-{door}.log" for door in doors}
    suites = {}
    for door, (url, but) in doors.items():
        topic = f"contract-{door}"
        create = ["kafka-topics", "--bootstrap-server", "kafka:9092", "--create", "--topic", topic, "--partitions", "3"]
        stack.docker("exec", stack.container("kafka"), *create)
        where = ("--rest-proxy-url", url, "--rest-proxy-topic", topic)
        with said[door].open("w") as out:
            suites[door] = stack.start("pytest", "tests/contract", "-q", "--durations", "12", *where, *but, output=out)
    for door, suite in suites.items():
        assert suite.wait(300) == 0, f"{door}: {said[door].read_text()}"
        assert " passed" in said[door].read_text()


def test_mysql_going_away_is_said_and_survived(stack: Stack, ledger: Path) -> None:
    """The emulator is under way when MySQL stops, and goes on when it is back."""
    mysql, said = stack.container("mysql"), stack.folder / "emulator.log"
    before = len(acknowledged(ledger))
    posts = 300
    with said.open("w") as out:
        emulator = stack.start(
            "emulator", "batch", "--posts", str(posts), "--rate", "50", "--ledger", str(ledger), output=out
        )
        wait_until(lambda: len(acknowledged(ledger)) > before, 60, lambda: AssertionError(said.read_text()))
        stack.docker("stop", "--time", "5", mysql)
        wait_until(lambda: "MySQL" in said.read_text(), 60, lambda: AssertionError(said.read_text()))
        assert emulator.poll() is None, said.read_text()
        stack.docker("start", mysql)
        assert emulator.wait(180) == 0, said.read_text()
    assert len(acknowledged(ledger)) == before + 3 * posts
