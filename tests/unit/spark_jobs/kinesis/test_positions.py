"""Offsets as data: their JSON, and which shards may be read when."""

import json

import pytest

from spark_jobs.errors import KinesisError
from spark_jobs.kinesis.positions import (
    Kind,
    Offset,
    Position,
    Shard,
    is_replaced,
    lost_shards,
    newly_readable,
    sequence_numbers,
    without_expired,
)

INIT = Position(Kind.TIMESTAMP, "1700000000000")
A, B, CHILD = "shardId-000000000000", "shardId-000000000001", "shardId-000000000002"


def after(value, since=None):
    return Position(Kind.AFTER, str(value), since)


def end(value="", since=None):
    return Position(Kind.END, str(value), since)


OFFSET = Offset(INIT, {A: after(49590338271490256608559692538361571095921575989136588898, 5), B: end()}, {B: INIT})


def test_json_there_and_back():
    text = json.dumps(OFFSET.to_json())
    assert Offset.of_json(json.loads(text)) == OFFSET
    assert json.loads(text) == {
        "init": {"kind": "timestamp", "value": "1700000000000"},
        "shards": {
            A: {"kind": "after", "value": "49590338271490256608559692538361571095921575989136588898", "since": 5},
            B: {"kind": "end"},
        },
        "from": {B: {"kind": "timestamp", "value": "1700000000000"}},
    }


def test_the_order_of_shards_does_not_change_the_json():
    one, other = (
        Offset(INIT, dict(shards), {}).to_json() for shards in ([(A, INIT), (B, INIT)], [(B, INIT), (A, INIT)])
    )
    assert json.dumps(one) == json.dumps(other)


def test_sequence_numbers_for_the_status():
    expected = {A: ("after", OFFSET.shards[A].value), B: ("end", "")}
    assert sequence_numbers(json.dumps(OFFSET.to_json())) == expected
    assert sequence_numbers(OFFSET.to_json()) == expected
    assert sequence_numbers(Offset(INIT, {A: INIT}, {}).to_json()) == {A: ("timestamp", "")}


@pytest.mark.parametrize(
    "text",
    [
        "nothing",
        "[]",
        "7",
        "{}",
        '{"init": {"kind": "latest"}, "shards": {}}',
        '{"init": {"kind": "trim_horizon"}, "shards": {"a": {"kind": "after"}}}',
        '{"init": {"kind": "trim_horizon"}, "shards": {"a": {"kind": "after", "value": "x"}}}',
        '{"init": {"kind": "trim_horizon"}, "shards": []}',
    ],
)
def test_what_is_no_offset(text):
    with pytest.raises(KinesisError, match="offset"):
        sequence_numbers(text)


def test_a_child_waits_for_all_of_its_parents():
    shards = {A: Shard((), 1), B: Shard((), 2), CHILD: Shard((A, B), 9)}
    assert newly_readable({}, shards, INIT) == {A: INIT, B: INIT}
    assert newly_readable({A: end(5, 70), B: after(6, 60)}, shards, INIT) == {}
    found = newly_readable({A: end(5, 70), B: end(6, 60)}, shards, INIT)
    assert found == {CHILD: Position(Kind.TIMESTAMP, INIT.value, since=60)}


def test_a_child_of_parents_that_have_expired_waits_for_none():
    shards = {CHILD: Shard((A, B), 9)}
    assert newly_readable({}, shards, INIT) == {CHILD: INIT}
    assert newly_readable({A: end(5), B: end(6, 60)}, shards, INIT)[CHILD].since == 60


def test_expired_and_lost_shards():
    positions = {A: end(5), B: after(6), CHILD: after(7)}
    shards = {CHILD: Shard((A, B), 9)}
    assert set(without_expired(positions, shards)) == {B, CHILD}
    assert lost_shards(positions, shards) == [B]


def test_a_shard_of_a_stream_that_was_made_again():
    assert is_replaced(after(8), Shard((), 9))
    assert is_replaced(end(8), Shard((), 9))
    assert not any(is_replaced(position, Shard((), 9)) for position in (after(9), after(10), INIT, end()))
