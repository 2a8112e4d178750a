"""The balance, over books that are right, and over the same books with one thing wrong."""

from collections.abc import Callable
from typing import Any

import pytest

from audit.books import KINDS, Balance, Books, opened

Rows = dict[str, list[dict[str, Any]]]

TOPIC, STREAM = "me.pin", "streaming-me-pin"


def place(offset: int, partition: int = 0) -> dict[str, Any]:
    return {"topic": TOPIC, "partition": partition, "offset": offset}


def sequence(number: int) -> dict[str, Any]:
    return {"stream": STREAM, "shard": "shardId-0", "sequence": str(number)}


def an_object(first: int, lines: int, **more: Any) -> dict[str, Any]:
    said = {"said_first": first, "said_last": first + lines - 1}
    return {"key": f"{first}", "topic": TOPIC, "partition": 0, "first_offset": first, "lines": lines} | said | more


def right() -> Rows:
    """Eight offsets: posts 10, 11, 12, then 10 again, a record that is quarantined, a dead letter, a tombstone, and post 13.

    Post 13 was never acknowledged. The streaming path: posts 10, 11, 10 again, and a record that is quarantined.
    """
    posts = {0: 10, 1: 11, 2: 12, 3: 10, 4: None, 7: 13}
    streamed = {98: 10, 99: 11, 100: 10, 101: 14}
    return {
        "acknowledged": [{"frame": "pin", "ind": posts[n]} | place(n) for n in (0, 1, 2, 3)],
        "partitions": [{"topic": TOPIC, "partition": 0, "first_offset": 0}],
        "records": [place(n) | {"tombstone": n == 6} for n in range(8)],
        "dead_letters": [place(5)],
        "objects": [an_object(0, 2), an_object(2, 3), an_object(7, 1)],
        "lines": [{"frame": "pin", "ind": ind} | place(n) for n, ind in posts.items()],
        "rows": [
            {"frame": "pin", "ind": ind, "partition": 0, "offset": n} for ind, n in {10: 3, 11: 1, 12: 2, 13: 7}.items()
        ],
        "quarantine": [{"frame": "pin"} | place(4)],
        "stream_acknowledged": [{"frame": "pin", "ind": ind} | sequence(n) for n, ind in streamed.items()],
        "stream_rows": [
            {"frame": "pin", "ind": ind, "shard": "shardId-0", "sequence": n, "subsequence": 0}
            for ind, n in {10: "100", 11: "99"}.items()
        ],
        "stream_quarantine": [{"frame": "pin", "subsequence": 0} | sequence(101)],
    }


def balance(rows: Rows) -> Balance:
    with opened() as books:
        enter(books, rows)
        return books.balance()


def enter(books: Books, rows: Rows) -> None:
    for table, of_table in rows.items():
        books.enter(table, ({name: [value] for name, value in row.items()} for row in of_table))


def test_books_that_are_right_balance() -> None:
    found = balance(right())
    assert found.differences == []
    assert found.balanced
    assert found.batch == [
        {
            "topic": TOPIC,
            "acknowledged": 4,
            "in_kafka": 8,
            "tombstones": 1,
            "dead_letters": 1,
            "in_objects": 6,
            "rows": 4,
            "superseded": 1,
            "quarantined": 1,
            "missing": 0,
        }
    ]
    assert found.streaming == [
        {"stream": STREAM, "acknowledged": 4, "rows": 2, "superseded": 1, "quarantined": 1, "missing": 0}
    ]


def drop(table: str, at: int) -> Callable[[Rows], None]:
    return lambda rows: rows[table].pop(at)  # type: ignore[return-value]


def change(table: str, at: int, **fields: Any) -> Callable[[Rows], None]:
    return lambda rows: rows[table][at].update(fields)


def repeat(table: str, at: int, **fields: Any) -> Callable[[Rows], None]:
    return lambda rows: rows[table].append(rows[table][at] | fields)


WRONG: dict[str, tuple[Callable[[Rows], None], dict[str, int]]] = {
    "Kafka forgot a record": (
        drop("records", 1),
        {"acknowledged, and not in Kafka": 1, "in an object, and not in Kafka": 1},
    ),
    "the lake holds another post there": (
        change("acknowledged", 1, ind=99),
        {"acknowledged for one post, and in the lake as another": 1},
    ),
    "a line is gone": (
        lambda rows: rows.update(
            lines=rows["lines"][:1] + rows["lines"][2:], objects=[an_object(0, 1, said_last=1), *rows["objects"][1:]]
        ),
        {
            "in Kafka, and neither in an object nor a dead letter": 1,
            "a gap between two objects": 1,
            "an object whose metadata and lines disagree": 1,
            "a row that no line of the lake explains": 1,
        },
    ),
    "a dead letter is gone": (
        drop("dead_letters", 0),
        {"in Kafka, and neither in an object nor a dead letter": 1, "a gap between two objects": 1},
    ),
    "two objects overlap": (
        repeat("objects", 1, key="again", first_offset=4, said_first=4, lines=3, said_last=6),
        {"an overlap of two objects": 1},
    ),
    "an object is cut off": (
        change("objects", 2, said_last=9),
        {"an object whose metadata and lines disagree": 1},
    ),
    "something else lies there": (
        lambda rows: rows.update(strangers=[{"key": "topics/x"}]),
        {"an object without a place in the layout": 1},
    ),
    "a row is gone": (drop("rows", 1), {"in an object, and neither in the table nor in quarantine": 1}),
    "a later record did not win": (
        change("rows", 0, offset=0),
        {"in an object, and neither in the table nor in quarantine": 1},
    ),
    "a record has two fates": (
        repeat("quarantine", 0, offset=1),
        {"in the table and in quarantine": 1},
    ),
    "a row came from nowhere": (
        repeat("rows", 0, ind=50, offset=50),
        {"a row that no line of the lake explains": 1},
    ),
    "a quarantined record came from nowhere": (
        repeat("quarantine", 0, offset=50),
        {"a quarantined record that no line of the lake explains": 1},
    ),
    "a post stands twice": (repeat("rows", 0), {"a post that stands twice in the batch table": 1}),
    "a record is quarantined twice": (
        repeat("quarantine", 0),
        {"a record that stands twice in the batch quarantine": 1},
    ),
    "the stream lost a post": (
        drop("stream_rows", 1),
        {"acknowledged, and neither in the streaming table nor in quarantine": 1},
    ),
    "the stream took the earlier record, whose sequence number is the larger text": (
        change("stream_rows", 0, sequence="98"),
        {"acknowledged, and neither in the streaming table nor in quarantine": 1},
    ),
    "the stream lost a quarantined record": (
        drop("stream_quarantine", 0),
        {"acknowledged, and neither in the streaming table nor in quarantine": 1},
    ),
    "a streamed post stands twice": (
        repeat("stream_rows", 0, sequence="98"),
        {"a post that stands twice in the streaming table": 1},
    ),
    "a streamed record is quarantined twice": (
        repeat("stream_quarantine", 0),
        {"a record that stands twice in the streaming quarantine": 1},
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_whatever_is_wrong_is_named(name: str) -> None:
    wrong, expected = WRONG[name]
    rows = right()
    wrong(rows)
    found = balance(rows)
    assert {difference.kind: difference.count for difference in found.differences} == expected
    assert not found.balanced


def test_each_kind_of_difference_is_tried() -> None:
    assert {kind for _, expected in WRONG.values() for kind in expected} == {kind.name for kind in KINDS}


def test_what_kafka_has_let_expire_is_not_missed() -> None:
    rows = right()
    rows["records"] = rows["records"][3:]
    rows["partitions"][0]["first_offset"] = 3
    assert balance(rows).balanced


def test_books_without_a_record_prove_nothing() -> None:
    found = balance({})
    assert found.differences == []
    assert not found.balanced


def test_at_most_20_examples_are_given_in_order_and_all_are_counted() -> None:
    rows = right()
    rows["acknowledged"] += [{"frame": "pin", "ind": n} | place(n) for n in range(200, 100, -1)]
    (difference,) = balance(rows).differences
    assert difference.count == 100
    assert [example["offset"] for example in difference.examples] == list(range(101, 121))
    assert difference.examples[0] == {"topic": TOPIC, "partition": 0, "offset": 101, "frame": "pin", "ind": 101}
