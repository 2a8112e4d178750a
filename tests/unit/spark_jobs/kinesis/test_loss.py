"""Retention: what may be lost is an error, and what cannot be lost is none."""

import json

import pytest

from spark_jobs.errors import DataLossError
from spark_jobs.kinesis import cursor, source

from .conftest import Stream, texts
from .far_side import HOUR

MINUTE = 60_000


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch):
    monkeypatch.setattr(cursor, "MISSING_PAUSE", 0.01)


@pytest.fixture(params=[False, True], ids=["aws", "strict"])
def stream(request, kinesis, url):
    """A query that has read the record "a", at AWS and at a server that does not find what is trimmed."""
    kinesis.strict = request.param
    made = Stream(url)
    kinesis.put("a")
    assert texts(made.batches()) == ["a"]
    made.restart()
    return made


def lenient(url, log):
    made = Stream(url, failOnDataLoss="false")
    made.log = list(log)
    return made


def test_a_pause_within_the_retention_loses_nothing(kinesis, stream, clock):
    clock.ahead += 23 * HOUR
    kinesis.put("b")
    assert texts(stream.batches()) == ["b"]
    assert kinesis.calls["DescribeStreamSummary"] == 0


def test_records_that_expired_unread_are_an_error(kinesis, stream, clock, url, capsys):
    kinesis.put("b")
    clock.ahead += 25 * HOUR
    kinesis.put("c")
    with pytest.raises(DataLossError, match=r"shardId-000000000000 may have expired.*24 hours.*failOnDataLoss"):
        stream.batch()
    other = lenient(url, stream.log)
    assert texts(other.batches()) == ["c"]
    assert "WARNING: kinesis: Records of shardId-000000000000 may have expired" in capsys.readouterr().err
    kinesis.put("d")
    assert texts(other.batches()) == ["d"]
    assert capsys.readouterr().err == ""


def test_a_stream_that_keeps_records_for_longer(kinesis, stream, clock):
    kinesis.retention_hours = 48
    kinesis.put("b")
    clock.ahead += 47 * HOUR
    assert texts(stream.batches()) == ["b"]


def test_the_last_record_is_looked_for_before_it_is_called_lost(kinesis, stream, clock):
    """Records go in order: while the last one read is there, nothing after it has gone."""
    kinesis.put("b")
    clock.ahead += 24 * HOUR - 3 * MINUTE
    assert texts(stream.batches()) == ["b"]
    assert 1 in kinesis.limits  # it was looked for, alone


def test_the_last_record_of_a_closed_shard_is_looked_for(kinesis, stream, clock):
    kinesis.reshard(0)
    kinesis.put("b", shard=1)
    clock.ahead += 24 * HOUR - 3 * MINUTE
    assert texts(stream.batches()) == ["b"]


def test_an_idle_stream_keeps_its_offset_young(kinesis, url, clock):
    stream = Stream(url)
    kinesis.put("a")
    assert texts(stream.batches()) == ["a"]
    moves = len(stream.log)
    for _ in range(40 * 2):
        clock.ahead += HOUR // 2
        kinesis.expire_iterators()
        assert stream.batch() in (None, [])
    assert 35 <= len(stream.log) - moves <= 40
    stream.restart()
    kinesis.strict = True
    clock.ahead += 20 * HOUR
    kinesis.put("b")
    assert texts(stream.batches()) == ["b"]


def test_a_query_that_has_read_nothing_yet(kinesis, url, clock):
    stream = Stream(url)
    assert stream.batches() == []
    stream.restart()
    clock.ahead += 20 * HOUR
    kinesis.put("a")
    assert texts(stream.batches()) == ["a"]

    idle = Stream(url, initialPosition="latest")
    assert idle.batches() == []
    idle.restart()
    kinesis.put("b")
    clock.ahead += 25 * HOUR
    with pytest.raises(DataLossError, match="may have expired"):
        idle.batch()


def test_a_new_query_may_begin_before_the_retention(kinesis, url, clock):
    kinesis.put("a", ago=23 * HOUR)
    time = (clock() - 72 * HOUR) / 1000
    assert texts(Stream(url, initialPosition=json.dumps({"at_timestamp": time})).batches()) == ["a"]


def test_a_child_inherits_what_its_parents_knew(kinesis, url, clock):
    stream = Stream(url, maxRecordsPerTrigger="1")
    kinesis.put("a", ago=HOUR)
    kinesis.put("b", ago=HOUR)
    kinesis.reshard(0)
    kinesis.put("c", shard=1, ago=HOUR)
    stream.batch()
    assert "b" in texts(stream.batch())
    since = stream.shards["shardId-000000000000"]["since"]
    assert since <= clock() - HOUR  # the end of a closed shard is not the tip: its children have gone on since
    stream.restart()
    stream.plan()
    born = json.loads(stream.log[-1])["shards"]["shardId-000000000002"]
    assert born["kind"] == "trim_horizon"
    stream.log.pop()
    stream.restart()
    clock.ahead += 24 * HOUR
    with pytest.raises(DataLossError, match=r"shardId-00000000000[12] may have expired"):
        stream.batch()


def test_the_end_of_a_closed_shard_is_not_the_tip(kinesis, url, clock):
    """Its children have had records since it was closed."""
    stream = Stream(url)
    kinesis.put("a")
    stream.batches()
    read = clock()
    clock.ahead += HOUR
    kinesis.reshard(0)
    kinesis.put("b", shard=1)
    clock.ahead += HOUR
    assert texts(stream.batches()) == ["b"]
    parent = stream.shards["shardId-000000000000"]
    assert parent["kind"] == "end"
    assert parent["since"] <= read


def test_what_waits_in_the_buffer_keeps_its_own_time(kinesis, url, clock, monkeypatch):
    monkeypatch.setattr(source, "BATCH_BYTES", 1)
    stream = Stream(url)
    for hours in (3, 2, 0):
        kinesis.put("a", ago=hours * HOUR)
    read = clock()
    assert len(stream.batch()) == 1
    assert stream.reader._buffers["shardId-000000000000"].size > 0
    assert stream.shards["shardId-000000000000"]["since"] <= read - 2 * HOUR


def test_a_shard_that_has_gone_unread(kinesis, url, clock, capsys):
    stream = Stream(url)
    kinesis.put("a")
    stream.batches()
    stream.restart()
    kinesis.put("b")
    kinesis.reshard(0)
    clock.ahead += 25 * HOUR
    kinesis.put("c", shard=1)
    with pytest.raises(DataLossError, match="shardId-000000000000 has gone from the stream posts"):
        stream.batch()
    other = lenient(url, stream.log)
    assert texts(other.batches()) == ["c"]
    assert capsys.readouterr().err.count("has gone") == 1
    assert "shardId-000000000000" not in other.shards


def test_a_shard_that_has_gone_unread_is_told_once(kinesis, url, clock, capsys):
    stream = Stream(url)
    kinesis.put("a")
    stream.batches()
    kinesis.reshard(0)
    clock.ahead += 25 * HOUR
    other = lenient(url, stream.log)
    for _ in range(4):
        other.batch()
    assert capsys.readouterr().err.count("has gone") == 1


def test_a_stream_that_was_made_again_with_fewer_shards(kinesis, stream):
    kinesis.reshard(0)
    stream.batches()
    kinesis.recreate(1)
    with pytest.raises(DataLossError, match="deleted and made again"):
        stream.batch()


def test_a_stream_that_was_made_again(kinesis, stream, url, capsys):
    kinesis.recreate(1)
    kinesis.put("new")
    with pytest.raises(DataLossError, match="deleted and made again: shardId-000000000000 is not"):
        stream.batch()
    other = lenient(url, stream.log)
    assert texts(other.batch()) == ["new"]
    assert texts(other.again()) == ["new"]
    assert other.batch() is None
    assert capsys.readouterr().err.count("made again") == 1


# Batches that are repeated too late


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("later", [False, True], ids=["nothing after it", "others after it"])
def test_a_repeated_batch_whose_end_has_gone(kinesis, url, clock, capsys, strict, later):
    kinesis.strict = strict
    stream = Stream(url)
    kinesis.put("a")
    stream.batches()
    kinesis.put("b")
    stream.plan()
    clock.ahead += 25 * HOUR
    if later:
        kinesis.put("c")
    with pytest.raises(DataLossError):
        stream.again()
    other, asked = lenient(url, stream.log), kinesis.calls["GetRecords"]
    assert other.again() == []
    assert "has gone from the stream" in capsys.readouterr().err
    if later:  # then there is nothing to wait for
        assert kinesis.calls["GetRecords"] - asked <= 2


def test_a_repeated_batch_whose_shard_has_gone(kinesis, url, clock, capsys):
    stream = Stream(url)
    kinesis.put("a")
    stream.batches()
    kinesis.put("b")
    stream.plan()
    kinesis.reshard(0)
    clock.ahead += 25 * HOUR
    with pytest.raises(DataLossError):
        stream.again()
    other = lenient(url, stream.log)
    assert other.again() == []
    assert "shardId-000000000000 has gone from the stream" in capsys.readouterr().err


@pytest.mark.parametrize("first", [False, True], ids=["a later batch", "the first batch"])
def test_a_repeated_batch_of_which_a_part_has_gone(kinesis, url, clock, first):
    stream = Stream(url)
    if not first:
        kinesis.put("a")
        stream.batches()
    kinesis.put("b")
    clock.ahead += 2 * HOUR
    kinesis.put("c")
    stream.plan()
    clock.ahead += 23 * HOUR
    with pytest.raises(DataLossError, match="may have expired"):
        stream.again()
    other = lenient(url, stream.log)
    assert texts(other.again()) == ["c"]


def test_a_repeated_batch_whose_start_alone_has_gone(kinesis, url, clock):
    """What is read is gone, and all that is to be read is there."""
    stream = Stream(url)
    kinesis.put("a", ago=2 * HOUR)
    stream.batches()
    kinesis.put("b")
    stream.plan()
    kinesis.strict = True
    clock.ahead += 23 * HOUR
    assert texts(stream.again()) == ["b"]
