"""Batches: bounded, in order, each record in one of them, and the same when they are repeated."""

import json
from collections import deque
from time import monotonic

import pytest

from spark_jobs.errors import KinesisError, OptionError
from spark_jobs.kinesis import api, source
from spark_jobs.kinesis.positions import sequence_numbers
from spark_jobs.kinesis.source import KinesisDataSource, Piece, Range

from .conftest import Stream, texts
from .far_side import HOUR, Kinesis, Server


def test_each_record_once_with_its_columns(kinesis, url):
    stream = Stream(url)
    assert stream.batches() == []
    sequences = [kinesis.put(f"{n}", key=f"key {n}") for n in range(5)]
    rows = stream.batch()
    assert texts(rows) == list("01234")
    assert [row["sequenceNumber"] for row in rows] == sequences
    assert rows[3]["partitionKey"] == "key 3"
    assert rows[3]["stream"] == "posts"
    assert rows[3]["shardId"] == "shardId-000000000000"
    assert abs(rows[3]["approximateArrivalTimestamp"].timestamp() * 1000 - kinesis.clock()) < 60_000
    assert stream.batch() is None
    kinesis.put("5")
    assert texts(stream.batch()) == ["5"]
    assert sequence_numbers(stream.log[-1]) == {"shardId-000000000000": ("after", str(int(sequences[-1]) + 7))}


def test_the_offset_is_left_alone_when_nothing_is_new(kinesis, url):
    stream = Stream(url)
    kinesis.put("a")
    stream.batches()
    start = stream.begin()
    assert stream.reader.latestOffset(start, stream.reader.getDefaultReadLimit()) is start


@pytest.mark.parametrize("fetch", ["10000", "3"])
def test_a_batch_is_bounded_by_its_records(wide, fetch):
    kinesis, url = wide
    for n in range(30):
        kinesis.put(f"{n}", shard=0)
    stream = Stream(url, maxRecordsPerTrigger="7", maxRecordsPerFetch=fetch)
    found = stream.batches()
    assert [len(batch) for batch in found] == [7, 7, 7, 7, 2]  # idle shards do not make it smaller
    assert texts(found) == [str(n) for n in range(30)]
    assert max(kinesis.limits) <= min(7, int(fetch))


def test_a_batch_of_many_shards_is_bounded_by_its_records(wide):
    kinesis, url = wide
    for n in range(30):
        kinesis.put(f"{n:02}", shard=n % 3)
    found = Stream(url, maxRecordsPerTrigger="7").batches()
    assert [len(batch) for batch in found] == [7, 7, 7, 7, 2]
    assert sorted(texts(found)) == [f"{n:02}" for n in range(30)]


def test_a_batch_is_bounded_by_its_bytes(wide, monkeypatch):
    kinesis, url = wide
    monkeypatch.setattr(source, "BATCH_BYTES", 10_000)
    for n in range(24):
        kinesis.put(b"%02d" % n + b"x" * 3000, shard=n % 3)
    found = Stream(url, maxRecordsPerFetch="2").batches()
    assert all(1 <= len(batch) <= 3 for batch in found)
    assert sorted(text[:2] for text in texts(found)) == [f"{n:02}" for n in range(24)]


def test_a_record_larger_than_a_batch_is_a_batch(kinesis, url, monkeypatch):
    monkeypatch.setattr(source, "BATCH_BYTES", 1000)
    monkeypatch.setattr(source, "PIECE_BYTES", 1000)
    for size in (2000, 10, 3000):
        kinesis.put(b"x" * size)
    assert [[len(row["data"]) for row in batch] for batch in Stream(url).batches()] == [[2000], [10], [3000]]


def test_the_buffer_is_bounded_however_many_shards_there_are(monkeypatch):
    """By a batch's bytes and one answer a thread."""
    monkeypatch.setattr(source, "BATCH_BYTES", 50_000)
    kinesis = Kinesis(30)
    for n in range(30 * 8):
        kinesis.put(b"x" * 5000, shard=n % 30)
    server = Server(kinesis)
    stream = Stream(server.url, maxRecordsPerFetch="4")
    stream.plan()
    server.close()
    assert sum(buffer.size for buffer in stream.reader._buffers.values()) < 50_000 + 8 * 4 * 5300


def test_a_busy_shard_does_not_keep_the_others_out(wide, monkeypatch):
    kinesis, url = wide
    monkeypatch.setattr(source, "BATCH_BYTES", 20_000)
    for _ in range(60):
        kinesis.put(b"x" * 3000, shard=0, ago=HOUR)
    stream = Stream(url, maxRecordsPerFetch="10")
    stream.batch()
    kinesis.put("new", shard=1)
    assert "new" in texts(stream.batch() + stream.batch() + stream.batch() + stream.batch())


def test_tasks_are_handed_pieces_of_a_bounded_size(wide, monkeypatch):
    kinesis, url = wide
    monkeypatch.setattr(source, "PIECE_BYTES", 5_000)
    for n in range(12):
        kinesis.put(b"x" * 1000, shard=n % 3)
    stream = Stream(url)
    parts = stream.partitions(*stream.plan())
    assert [len(part.records) for part in parts] == [4, 4, 4]
    monkeypatch.setattr(source, "PIECE_BYTES", 50_000)
    assert len(stream.reader.partitions(stream.reader.initialOffset(), stream.begin())) == 1


def test_empty_answers_are_not_the_tip(kinesis, url):
    for n in range(3):
        kinesis.put(f"{n}")
    kinesis.gaps = 5
    assert texts(Stream(url).batch()) == ["0", "1", "2"]


def test_latest_begins_at_the_start_and_stays_there(kinesis, url, clock):
    kinesis.put("before", ago=500)
    stream = Stream(url, initialPosition="latest")
    stream.batches()
    assert stream.log, "the time of the start is not written down"
    stream.restart()
    clock.ahead += 1000
    kinesis.put("after")
    clock.ahead += 5000
    stream.restart()
    assert texts(stream.batches()) == ["after"]


def test_latest_within_the_second(kinesis, url, clock):
    """Clients and servers round a time to seconds, the stand-in does."""
    stream = Stream(url, initialPosition="latest")
    clock.ahead += 990 - clock() % 1000
    kinesis.put("before", ago=100)
    start = stream.reader.initialOffset()
    kinesis.put("after")
    end = json.loads(json.dumps(stream.reader.latestOffset(start, stream.reader.getDefaultReadLimit())))
    stream.log.append(json.dumps(end))
    assert texts(stream.run(start, end)) == ["after"]
    assert texts(stream.again()) == ["after"]


def test_a_clock_that_is_a_little_ahead(kinesis, url, clock):
    stream = Stream(url, initialPosition="latest")
    kinesis.clock = lambda: clock() - 100
    kinesis.put("now", ago=-200)
    assert texts(stream.batches()) == ["now"]


def test_a_time_in_the_future_is_an_error(kinesis, url):
    with pytest.raises(KinesisError, match="initialPosition in the past"):
        Stream(url, initialPosition='{"at_timestamp": "2100-01-01"}').batch()


def test_from_a_time_on(kinesis, url, clock):
    kinesis.put("old", ago=HOUR)
    kinesis.put("new", ago=HOUR // 2)
    time = (clock() - HOUR * 3 // 4) / 1000
    assert texts(Stream(url, initialPosition=json.dumps({"at_timestamp": time})).batches()) == ["new"]


# Again


def test_a_repeated_batch_is_the_same(wide):
    kinesis, url = wide
    for n in range(40):
        kinesis.put(f"{n}", shard=n % 3)
    stream = Stream(url, maxRecordsPerTrigger="17", maxRecordsPerFetch="4")
    while (first := stream.batch()) is not None:
        kinesis.put("more")
        again = stream.again()
        assert sorted(map(str, again)) == sorted(map(str, first))
        if len(stream.log) > 3:
            break
    assert len(stream.log) == 4


def test_the_first_batch_is_the_same_whenever_it_is_repeated(kinesis, url, clock):
    stream = Stream(url, initialPosition="latest")
    start = stream.reader.initialOffset()
    kinesis.put("a")
    kinesis.put("b")
    end = json.loads(json.dumps(stream.reader.latestOffset(start, stream.reader.getDefaultReadLimit())))
    stream.log.append(json.dumps(end))
    first = stream.run(start, end)
    assert texts(first) == ["a", "b"]
    clock.ahead += 5000
    kinesis.put("c")
    assert stream.again() == first
    assert texts(stream.batches()) == ["c"]


def test_in_memory_first_then_from_kinesis(kinesis, url):
    kinesis.put("a")
    stream = Stream(url)
    planned = stream.plan()
    assert [type(part) for part in stream.partitions(*planned)] == [Piece]
    asked = kinesis.calls["GetRecords"]
    stream.run(*planned)
    assert kinesis.calls["GetRecords"] == asked
    stream.restart()
    assert [type(part) for part in stream.partitions(*planned)] == [Range]


def test_records_that_wait_in_the_buffer_are_not_fetched_again(kinesis, url, monkeypatch):
    monkeypatch.setattr(source, "BATCH_BYTES", 3 * 300)
    for _ in range(9):
        kinesis.put(b"x" * 90)
    stream = Stream(url)
    assert [len(batch) for batch in stream.batches()] == [3, 3, 3]
    assert len([limit for limit in kinesis.limits if limit > 1]) <= 4


def test_aggregates_count_as_one_record_and_are_the_same_again(kinesis, url):
    from .test_rows import PARTS, aggregate

    for _ in range(3):
        kinesis.put(aggregate(*PARTS))
    stream = Stream(url, maxRecordsPerTrigger="2")
    rows = stream.batch()
    assert [row["subSequenceNumber"] for row in rows] == [0, 1, 2, 0, 1, 2]
    assert stream.again() == rows
    assert [len(batch) for batch in stream.batches()] == [3]


# Resharding


def in_order(found, parents, children):
    """A parent's records are all in earlier batches than its children's."""
    last = max(i for i, batch in enumerate(found) for row in batch if row["shardId"] in parents)
    first = min(i for i, batch in enumerate(found) for row in batch if row["shardId"] in children)
    return last < first


@pytest.mark.parametrize("rows", ["20000", "4"])
def test_children_come_after_their_parents(kinesis, url, rows):
    for n in range(10):
        kinesis.put(f"{n:02}", key=str(n % 2))
    kinesis.reshard(0)
    for n in range(10, 20):
        kinesis.put(f"{n:02}", shard=1 + n % 2, key=str(n % 2))
    kinesis.reshard(1, 2)
    for n in range(20, 30):
        kinesis.put(f"{n:02}", shard=3, key=str(n % 2))
    found = Stream(url, maxRecordsPerTrigger=rows).batches()
    assert sorted(texts(found)) == [f"{n:02}" for n in range(30)]
    names = [f"shardId-{n:012}" for n in range(4)]
    assert in_order(found, names[:1], names[1:3])
    assert in_order(found, names[1:3], names[3:])
    for key in "01":
        of_key = [row["data"] for batch in found for row in batch if row["partitionKey"] == key]
        assert of_key == sorted(of_key)


def test_a_reshard_while_reading_with_restarts(kinesis, url):
    stream, expected = Stream(url, maxRecordsPerTrigger="3"), []
    found = []

    def put(shard, count=4):
        for _ in range(count):
            expected.append(f"{len(expected):02}")
            kinesis.put(expected[-1], shard=shard)

    put(0)
    found.append(stream.batch())
    kinesis.reshard(0)
    put(1)
    put(2)
    for _ in range(3):
        stream.plan()  # and dies before the batch is done
        found.append(stream.again())
    kinesis.reshard(1)
    put(3)
    stream.restart()
    found += stream.batches()
    assert sorted(texts(found)) == expected


def test_shards_that_closed_before_the_start_cost_no_batches(kinesis, url, clock):
    kinesis.put("old")
    kinesis.reshard(0)
    kinesis.reshard(1)
    clock.ahead += 2000
    stream = Stream(url, initialPosition="latest")
    assert stream.batch() == []
    assert {kind for kind, _ in sequence_numbers(stream.log[-1]).values()} == {"end", "timestamp"}
    assert stream.batch() is None
    clock.ahead += 2000
    for shard in (2, 3, 4):
        kinesis.put("new", shard=shard)
    assert texts(stream.batches()) == ["new"] * 3


def test_shards_that_have_left_the_stream_are_forgotten(kinesis, url, clock):
    kinesis.put("a")
    stream = Stream(url)
    kinesis.reshard(0)
    assert texts(stream.batches()) == ["a"]
    assert len(stream.shards) == 3
    for _ in range(26):
        clock.ahead += HOUR
        kinesis.put("b", shard=1)
        assert texts(stream.batches()) == ["b"]
    assert set(stream.shards) == {"shardId-000000000001", "shardId-000000000002"}


# Trigger.AvailableNow


def test_available_now_reads_what_is_there_and_ends(wide, clock):
    kinesis, url = wide
    for n in range(20):
        kinesis.put(f"{n:02}", shard=n % 3, ago=1000)
    kinesis.reshard(1)
    kinesis.put("child", shard=3, ago=1000)
    stream = Stream(url, maxRecordsPerTrigger="6")
    stream.reader.prepareForTriggerAvailableNow()
    found = [stream.batch()]
    clock.ahead += 10
    for shard in (0, 2, 3, 4):
        for _ in range(5):
            kinesis.put("late", shard=shard)
    found += stream.batches()
    assert sorted(texts(found)) == [f"{n:02}" for n in range(20)] + ["child"]
    stream.restart()
    clock.ahead += 10
    stream.reader.prepareForTriggerAvailableNow()
    assert texts(stream.batches()) == ["late"] * 20


def test_available_now_skips_no_record_that_came_late(kinesis, url, clock):
    """Arrival times are approximate: one after a late record may say that it came before."""
    stream = Stream(url, maxRecordsPerFetch="1")
    stream.reader.prepareForTriggerAvailableNow()
    kinesis.put("a", ago=1000)
    kinesis.put("late", ago=-1000)
    kinesis.put("odd", ago=1000)
    assert texts(stream.batches()) == ["a"]
    stream.restart()
    clock.ahead += 2000
    stream.reader.prepareForTriggerAvailableNow()
    assert texts(stream.batches()) == ["late", "odd"]


def test_available_now_is_not_ended_by_empty_answers(kinesis, url):
    kinesis.put("a", ago=1000)
    kinesis.gaps = 20
    stream = Stream(url, maxFetchDuration="1ms")
    stream.reader.prepareForTriggerAvailableNow()
    assert texts(stream.batches()) == ["a"]


def test_a_trigger_ends_when_its_time_is_up(kinesis, url):
    kinesis.put("a", ago=1000)
    kinesis.gaps = 20
    stream = Stream(url, maxFetchDuration="1ms")
    stream.batch()
    assert kinesis.gaps > 0
    for _ in range(20):
        stream.batch()
    assert sequence_numbers(stream.log[-1])["shardId-000000000000"][0] == "after"


# Kinesis' moods


@pytest.mark.parametrize(
    "code", ["ProvisionedThroughputExceededException", "LimitExceededException", "KMSThrottlingException"]
)
def test_throttling_is_waited_for(kinesis, url, code):
    kinesis.put("a")
    kinesis.faults = {"ListShards": deque([code]), "GetShardIterator": deque([code]), "GetRecords": deque([code] * 4)}
    stream = Stream(url)
    assert texts(stream.batches()) == ["a"]
    kinesis.faults["GetRecords"].append(code)
    assert texts(stream.again()) == ["a"]
    assert not any(kinesis.faults.values())


def test_throttling_that_does_not_end_is_an_error(kinesis, url, monkeypatch):
    monkeypatch.setattr(api, "PATIENCE", 0.1)
    kinesis.faults["GetRecords"] = deque(["KMSThrottlingException"] * 1000)
    with pytest.raises(KinesisError, match="too busy"):
        Stream(url).batch()


def test_expired_iterators_are_opened_again(kinesis, url):
    stream = Stream(url)
    for n in range(3):
        kinesis.put(f"{n}")
        kinesis.expire_iterators()
        assert texts(stream.batches()) == [f"{n}"]
    # Also before any record was read, and within a batch that is repeated.
    kinesis.put("more")
    stream = Stream(url, maxRecordsPerFetch="2")
    found = texts(stream.batches())
    stream.restart()
    tasks = stream.partitions(stream.reader.initialOffset(), stream.begin())
    batches = stream.reader.read(tasks[0])
    rows = next(batches).to_pylist()
    kinesis.expire_iterators()
    rows += [row for batch in batches for row in batch.to_pylist()]
    assert texts(rows) == found == ["0", "1", "2", "more"]


def test_an_idle_stream_is_asked_seldom(kinesis, url, monkeypatch):
    monkeypatch.setattr(source, "IDLE_PAUSE", 0.2)
    stream = Stream(url, shardFetchInterval="1h")
    stream.batches()
    before, asked = monotonic(), kinesis.calls["GetRecords"]
    for _ in range(3):
        stream.batch()
    assert kinesis.calls["GetRecords"] - asked == 3
    assert monotonic() - before > 0.35
    assert kinesis.calls["ListShards"] == 1


def test_a_stream_at_its_tip_is_asked_seldom_before_spark_has_committed(kinesis, url, monkeypatch):
    monkeypatch.setattr(source, "IDLE_PAUSE", 0.5)
    stream = Stream(url)
    kinesis.put("a")
    before = monotonic()
    assert stream.plan()
    kinesis.put("b")
    assert stream.plan()
    assert monotonic() - before > 0.5


def test_a_stream_that_is_not_there(kinesis, url):
    with pytest.raises(KinesisError, match=r"does not serve the stream nothing.*Stream nothing not found"):
        Stream(url, streamName="nothing").batch()


def test_nobody_at_the_endpoint():
    with pytest.raises(KinesisError, match="cannot be asked about the stream posts: Could not connect"):
        Stream("http://127.0.0.1:9").batch()
    with pytest.raises(KinesisError, match="endpointUrl"):
        Stream("nowhere").batch()


def test_a_checkpoint_of_another_source(url):
    stream = Stream(url)
    with pytest.raises(KinesisError, match="not this source's"):
        stream.reader.latestOffset({"offset": 7}, stream.reader.getDefaultReadLimit())


def test_credentials_are_used_and_not_shown(kinesis, url):
    kinesis.put("a")
    stream = Stream(url)
    stream.batches()
    assert all("Credential=AKIDTEST/" in key and "/eu-west-1/" in key for key in kinesis.keys)
    shown = (
        f"{stream.reader!r} {stream.reader.__dict__} {stream.log} {stream.partitions(stream.begin(), stream.begin())}"
    )
    assert "hush" not in shown
    assert "AKIDTEST" not in shown


def test_a_bad_option_is_told_when_the_stream_is_made():
    with pytest.raises(OptionError, match="streamName is missing"):
        KinesisDataSource({})
