"""Last in its log wins, whatever the order of reading (contract §6); the tables are such that other readers can read them."""

import random
from concurrent.futures import ThreadPoolExecutor

import delta.exceptions
import pytest
from delta.tables import DeltaTable
from pyspark.sql import Row

from spark_jobs import quarantine, tables
from spark_jobs.cleaning import clean
from spark_jobs.logs import KAFKA


def cleaned(spark, *records):
    """Users from (partition, offset, ind, first name)."""
    rows = [(f'{{"ind": {ind}, "first_name": "{name}"}}', "object", "t", *place) for *place, ind, name in records]
    return clean(
        spark.createDataFrame(rows, "raw string, source string, topic string, partition int, `offset` bigint"), "user"
    )


def held(spark, path):
    rows = spark.read.format("delta").load(str(path)).orderBy("ind").collect()
    return [(row.source_partition, row.source_offset, row.ind, row.user_name) for row in rows]


RECORDS = [
    (0, 0, 1, "first"),
    (0, 1, 1, "second"),
    (0, 2, 2, "alone"),
    (1, 9, 3, "higher offset"),
    (2, 8, 3, "higher partition only"),
    (1, 4, 4, "lower partition"),
    (2, 4, 4, "same offset, higher partition"),
    (2, 5, 5, "b"),
    (0, 5, 5, "a"),
]
LAST = [
    (0, 1, 1, "second"),
    (0, 2, 2, "alone"),
    (1, 9, 3, "higher offset"),
    (2, 4, 4, "same offset, higher partition"),
    (2, 5, 5, "b"),
]


@pytest.mark.parametrize("seed", range(3))
def test_any_order_of_reading_gives_the_same_table(spark, tmp_path, seed):
    order = random.Random(seed)
    records = order.sample(RECORDS, len(RECORDS))
    cuts = sorted(order.sample(range(1, len(records)), 2))
    batches = [records[start:end] for start, end in zip([0, *cuts], [*cuts, len(records)], strict=True)]
    tables.replace(str(tmp_path), tables.latest(cleaned(spark, *batches[0]), "user", KAFKA), "one")
    for batch in batches[1:]:
        tables.merge(str(tmp_path), tables.latest(cleaned(spark, *batch), "user", KAFKA), KAFKA)
    assert held(spark, tmp_path) == LAST


def test_merging_twice_writes_nothing(spark, tmp_path):
    rows = tables.latest(cleaned(spark, *RECORDS), "user", KAFKA)
    tables.replace(str(tmp_path), rows, "one")
    assert tables.merge(str(tmp_path), rows, KAFKA) == 0
    assert held(spark, tmp_path) == LAST


def test_a_merge_says_how_many_rows_it_wrote(spark, tmp_path):
    tables.replace(
        str(tmp_path), tables.latest(cleaned(spark, (0, 0, 1, "old"), (0, 1, 2, "kept")), "user", KAFKA), "one"
    )
    new = cleaned(spark, (0, 5, 1, "new"), (0, 0, 2, "older"), (0, 6, 3, "another"))
    assert tables.merge(str(tmp_path), tables.latest(new, "user", KAFKA), KAFKA) == 2


def test_rejected_records_never_reach_the_table(spark):
    assert tables.latest(cleaned(spark, (0, 0, "null", "x"), (0, 1, 1, "ok")), "user", KAFKA).count() == 1


def test_columns_are_the_contracts_and_then_the_source(spark):
    columns = tables.latest(cleaned(spark, *RECORDS), "user", KAFKA).dtypes
    assert columns[0] == ("ind", "int")
    assert columns[-2:] == [("source_partition", "int"), ("source_offset", "bigint")]


def test_a_replaced_table_holds_only_what_replaced_it(spark, tmp_path):
    tables.replace(str(tmp_path), tables.latest(cleaned(spark, *RECORDS), "user", KAFKA), "one")
    tables.replace(str(tmp_path), tables.latest(cleaned(spark, (0, 0, 9, "only")), "user", KAFKA), "two")
    assert held(spark, tmp_path) == [(0, 0, 9, "only")]
    assert tables.checkpoint_of(spark, str(tmp_path)) == "two"


def test_no_table_has_no_checkpoint(spark, tmp_path):
    assert tables.checkpoint_of(spark, str(tmp_path)) is None


def test_tables_need_no_feature_that_other_readers_lack(spark, tmp_path):
    rows = tables.latest(cleaned(spark, *RECORDS), "user", KAFKA)
    tables.replace(str(tmp_path), rows, "one")
    tables.merge(str(tmp_path), tables.latest(cleaned(spark, (0, 99, 1, "new")), "user", KAFKA), KAFKA)
    detail = DeltaTable.forPath(spark, str(tmp_path)).detail().first()
    assert detail.minReaderVersion == 1
    assert detail.properties["delta.enableDeletionVectors"] == "false"


@pytest.mark.parametrize("conflict", tables.CONFLICTS)
def test_a_conflict_is_tried_again_and_a_lasting_one_reported(conflict):
    attempts = []

    def write(conflicts):
        attempts.append(conflicts)
        if len(attempts) <= conflicts:
            raise conflict("another writer was faster")
        return "done"

    assert tables.retrying(lambda: write(2)) == "done"
    attempts.clear()
    with pytest.raises(conflict):
        tables.retrying(lambda: write(99))
    assert len(attempts) == 5


def test_what_delta_calls_a_conflict_is_one_here():
    """A new kind in a later Delta would not be tried again; this one is never raised by a commit itself."""
    names = set(delta.exceptions.__all__) - {"DeltaConcurrentModificationException"}
    assert {conflict.__name__ for conflict in tables.CONFLICTS} == names


def test_a_table_that_another_writer_changed_meanwhile_is_merged_into_all_the_same(spark, tmp_path, monkeypatch):
    path = str(tmp_path)
    tables.replace(path, tables.latest(cleaned(spark, (0, 0, 1, "old"), (0, 1, 2, "two")), "user", KAFKA), "one")
    real, others = tables.DeltaTable.forPath, [tables.latest(cleaned(spark, (0, 7, 3, "theirs")), "user", KAFKA)]

    def slow(session, where):
        table = real(session, where)
        if others:
            tables.merge(path, others.pop(), KAFKA)
        return table

    monkeypatch.setattr(tables.DeltaTable, "forPath", slow)
    tables.merge(path, tables.latest(cleaned(spark, (0, 9, 1, "ours")), "user", KAFKA), KAFKA)
    assert held(spark, tmp_path) == [(0, 9, 1, "ours"), (0, 1, 2, "two"), (0, 7, 3, "theirs")]


def rejects(spark, frame, *places):
    rows = [("{", "object", f"0a1b.{frame}", *place) for place in places]
    raw = spark.createDataFrame(rows, "raw string, source string, topic string, partition int, `offset` bigint")
    return quarantine.quarantined(clean(raw, frame), frame, KAFKA)


def places(spark, path):
    return sorted((r.frame, r.partition, r.offset) for r in spark.read.format("delta").load(str(path)).collect())


def test_a_record_is_quarantined_whole_with_its_place_and_reasons(spark, raw, tmp_path):
    bad = clean(raw({"ind": 1, "latitude": 91, "longitude": 999}, b"\xff"), "geo")
    quarantine.insert(str(tmp_path), quarantine.quarantined(bad, "geo", KAFKA), "geo", KAFKA)
    found = spark.read.format("delta").load(str(tmp_path)).orderBy("offset").drop("quarantined_at").collect()
    assert found == [
        Row(
            frame="geo",
            raw='{"ind": 1, "latitude": 91, "longitude": 999}',
            source="object",
            topic="0a1b.pin",
            partition=0,
            offset=0,
            reasons=["latitude is not a number from -90 to 90", "longitude is not a number from -180 to 180"],
        ),
        Row(
            frame="geo",
            raw="\ufffd",
            source="object",
            topic="0a1b.pin",
            partition=0,
            offset=1,
            reasons=["the record is not UTF-8"],
        ),
    ]


def test_a_record_is_quarantined_once(spark, tmp_path):
    for batch in ([(0, 1), (1, 1)], [(0, 1), (0, 2)]):
        quarantine.insert(str(tmp_path), rejects(spark, "pin", *batch), "pin", KAFKA)
    assert places(spark, tmp_path) == [("pin", 0, 1), ("pin", 0, 2), ("pin", 1, 1)]


def test_starting_over_leaves_the_other_frames_records(spark, tmp_path):
    quarantine.insert(str(tmp_path), rejects(spark, "pin", (0, 1), (0, 2)), "pin", KAFKA)
    quarantine.insert(str(tmp_path), rejects(spark, "geo", (0, 1)), "geo", KAFKA)
    quarantine.replace(str(tmp_path), rejects(spark, "pin", (0, 7)), "pin", KAFKA)
    assert places(spark, tmp_path) == [("geo", 0, 1), ("pin", 0, 7)]


def test_three_frames_start_their_quarantine_at_once(spark, tmp_path):
    with ThreadPoolExecutor(3) as threads:
        jobs = [
            threads.submit(quarantine.replace, str(tmp_path), rejects(spark, frame, (0, 1)), frame, KAFKA)
            for frame in ("pin", "geo", "user")
        ]
        for job in jobs:
            job.result()
    assert places(spark, tmp_path) == [("geo", 0, 1), ("pin", 0, 1), ("user", 0, 1)]


def test_what_a_driver_that_died_left_behind_is_no_table_and_in_nobodys_way(spark, tmp_path):
    """It had made the folder of the log, and no commit yet."""
    for name, create in (
        ("table", lambda path: tables.create(spark, path, "user", KAFKA)),
        ("quarantine", lambda path: quarantine.create(spark, path, KAFKA)),
    ):
        path = tmp_path / name
        (path / "_delta_log" / "_staged_commits").mkdir(parents=True)
        create(str(path))
        create(str(path))
        assert spark.read.format("delta").load(str(path)).count() == 0
        assert DeltaTable.forPath(spark, str(path)).history().count() == 1
