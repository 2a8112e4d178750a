"""Bad and odd records and requests, and what must become of each. Pure data.

A `Record` goes down both paths, among others in one request; a `Request` is sent as it is, to one door. Every record has an `ind` of its own from
`FIRST_IND` on, far above the source's 11,000 posts, so that nothing else on the stack is disturbed. Of the records that must be quarantined
there are fewer than 95 in all: from 100 on, a run whose share of bad records is too large is meant to fail.

`MARK` stands in every text that could reach a log, and `FORGED` begins the line that a line end in such a text would forge.
"""

import json
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from settings import Frame

Path = Literal["batch", "streaming"]

FIRST_IND = 50_000
MARK = "odd-input"
FORGED = "2038-01-19 03:14:07 CRITICAL forged by an odd input"
USER = "{user_id}"
"""Stands in a request's path for the settings' user."""

KAFKA_JSON = "application/vnd.kafka.json.v2+json"
KAFKA_BINARY = "application/vnd.kafka.binary.v2+json"
MIB = 2**20


@dataclass(frozen=True)
class Cleaned:
    """One row of the table has this `ind` and these values, and comes from this record."""

    ind: int
    columns: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Quarantined:
    """Once in quarantine, and one of the reasons has these words."""

    reason: str


@dataclass(frozen=True)
class DeadLettered:
    """Once in the dead-letter topic; Connect's message has these words."""

    reason: str


@dataclass(frozen=True)
class Refused:
    """Not taken: the answer's status, and words of its message. With 200, it is the one record's `error` (contract §4)."""

    status: int
    words: str


@dataclass(frozen=True)
class Nothing:
    """Taken, and there is no record: Kafka's tombstone, which the sink is told to ignore."""


Fate = Cleaned | Quarantined | DeadLettered | Refused | Nothing


@dataclass(frozen=True)
class Record:
    """One record's value as JSON text, and what becomes of it on each path."""

    name: str
    frame: Frame
    text: str
    fates: dict[Path, Fate]


@dataclass(frozen=True)
class Request:
    """One request as it goes over the wire. `fate` is that of its last record, if it has any; those before have the same `ind`."""

    name: str
    path: Path
    frame: Frame
    route: str
    body: bytes
    fate: Fate
    content_type: str | None
    method: str = "POST"


PIN: dict[str, Any] = {
    "title": "a title",
    "follower_count": "36k",
    "save_location": "Local save in /data/art",
    "category": "art",
}
GEO: dict[str, Any] = {"timestamp": "2020-08-28T03:52:47", "latitude": -89.5, "longitude": 173.25, "country": "Albania"}
USERS: dict[str, Any] = {"first_name": "Abigail", "last_name": "Ali", "age": 20, "date_joined": "2015-10-24T11:23:51"}
GOOD: dict[Frame, dict[str, Any]] = {"pin": PIN, "geo": GEO, "user": USERS}
KEY: dict[Frame, str] = {"pin": "index", "geo": "ind", "user": "ind"}

# ── Injection, in every text field ────────────────────────────────────────────────────────────────────────────────────────

INJECTIONS = {
    "SQL": f"{MARK}'; DROP TABLE user_data; -- \" OR 1=1 /*",
    "VTL": f"{MARK} #set($x = 1)$x ${{x}} $!x #foreach($i in [1..9])$i#end $util.base64Encode('a') $input.json('$') #stop",
    "JSON path": f"{MARK} $.records[0]..[?(@.Data)] $..* @.length \\\" \\u0041 ', '$[*]",
    "a forged line": f"{MARK}\r\n{FORGED}\n{FORGED}",
    "a terminal": f"{MARK}\x1b[2J\x1b]0;x\x07\x08\x9b31m\x7f",
}
TEXT_COLUMNS: dict[Frame, tuple[str, ...]] = {
    "pin": ("unique_id", "title", "description", "poster_name", "tag_list", "is_image_or_video", "image_src", "save_location", "category"),
    "geo": ("country",),
    "user": ("first_name", "last_name"),
}  # fmt: skip
MORE_TEXTS = {
    "zero bytes": f"{MARK}\x00\x00 after zero",
    "a lookup of log4j": f"{MARK} ${{jndi:ldap://127.0.0.1:1/a}} ${{env:HOME}}",
    "a shell": f"{MARK} $(id) `id` ; rm -rf / | cat && true",
    "HTML": f"{MARK} <script>alert(1)</script> &amp; <!--",
    "format strings": f"{MARK} %s %n %d {{}} {{0}} {{{{x}}}} %(name)s",
    "a path": f"{MARK}/../../etc/passwd\\..\\..",
    "bidirectional marks": f"{MARK} \u202etxt.exe\u202c \u2066",
    "line separators": f"{MARK}\u2028{FORGED}\u2029{FORGED}\x85{FORGED}\x0b\x0c",
    "a byte order mark": f"\ufeff{MARK}\ufffe\uffff",
    "emoji": f"{MARK} 👩‍👩‍👧‍👦🏳️‍🌈 Заголовок é e\u0301 漢字 \U0010ffff",
    "quotes": f'{MARK} " \' \\ \\\\ \\" \\n ` “”',
    "blanks": f"  {MARK}\t\t ",
    "a literal of JSON": f'{MARK} null {{"a": [1, 2]}}',
    "200 KiB": MARK + "x" * (200 * 1024),
    "900 KiB": MARK + "x" * (900 * 1024),
}


def expected_text(frame: Frame, name: str, text: str) -> dict[str, Any]:
    """What the table shows of a text."""
    if frame == "user":
        return {
            "user_name": f"{text} {USERS['last_name']}" if name == "first_name" else f"{USERS['first_name']} {text}"
        }
    return {name: text}


# ── Values of the wrong kind ──────────────────────────────────────────────────────────────────────────────────────────────

FOLLOWERS: dict[str, int | None] = {
    '"1.2M"': 1_200_000, '"12K"': 12_000, "517": 517, '"-5"': None, '"1,200"': None, '"９k"': None, '"NaN"': None, '"1e3"': None,
    "true": None, '{"k": 1}': None, "[1]": None, f'"{10**30}M"': None, '"12k\\n"': None,
}  # fmt: skip
BAD_INDS = [
    "1.5",
    "50000.0",
    "true",
    '"x"',
    '"7 "',
    '"７"',
    "2147483648",
    "-2147483649",
    "null",
    '""',
    "[7]",
    '{"ind": 7}',
]
BAD_LATITUDES = ["90.0001", "-90.1", '"NaN"', '"Infinity"', "1e300", '"x"', '"1,5"', "[1]", "true", '"0x1p3"']
BAD_LONGITUDES = ["180.0001", "-181", '"12.5d"', '{"deg": 1}']
GOOD_LATITUDES: dict[str, float | None] = {
    '"12.5"': 12.5,
    "90": 90.0,
    "-90": -90.0,
    "1e-3": 0.001,
    "null": None,
    '""': None,
}
BAD_AGES = ["-1", "121", "36.5", '"old"', "true", "[36]", "1e30"]
GOOD_AGES: dict[str, int | None] = {"0": 0, "120": 120, '"37"': 37, "null": None}
BAD_DATES = [
    "2018-02-29T00:00:00", "2018-13-01T00:00:00", "2018-01-01T24:00:00", "2018-03:04 05:06:07", "2018/03/04 05:06:07",
    "04-03-2018 05:06:07", "2018-3-4 05:06:07", "0000-00-00 00:00:00", "9999-12-31T23:59:59-01:00", "２０18-03-04T05:06:07",
    "2018-03-04T05:06:07 Europe/Berlin", "today", "1520139967", "2018-03-04T05:06:07\n",
]  # fmt: skip
GOOD_DATES = {
    "2018-03-04 05:06:07": datetime(2018, 3, 4, 5, 6, 7, tzinfo=UTC),
    "2018:03:04 05:06:07": datetime(2018, 3, 4, 5, 6, 7, tzinfo=UTC),
    "2018-03-04T05:06:07+02:00": datetime(2018, 3, 4, 3, 6, 7, tzinfo=UTC),
    "2018-03-04": datetime(2018, 3, 4, tzinfo=UTC),
    "2020-02-29T00:00:00.5Z": datetime(2020, 2, 29, 0, 0, 0, 500_000, tzinfo=UTC),
    "0001-01-01T00:00:00": datetime(1, 1, 1, tzinfo=UTC),
}
NO_OBJECTS = ["17", '"text"', '""', "[]", "true", "false", "0", "[[1]]"]
NOT_AN_OBJECT = "not one JSON object"


def with_field(frame: Frame, ind: int, name: str, literal: str) -> str:
    """A good record with one field's value put in as it is written."""
    others = json.dumps({KEY[frame]: ind, **{key: value for key, value in GOOD[frame].items() if key != name}})
    return f'{others[:-1]}, "{name}": {literal}}}'


def both(fate: Fate) -> dict[Path, Fate]:
    return {"batch": fate, "streaming": fate}


Draft = tuple[str, Frame, Callable[[int], tuple[str, dict[Path, Fate]]]]
"""A record that has no `ind` yet."""


def cleaned(name: str, frame: Frame, field_name: str, literal: str, columns: dict[str, Any]) -> Draft:
    return name, frame, lambda ind: (with_field(frame, ind, field_name, literal), both(Cleaned(ind, columns)))


def quarantined(name: str, frame: Frame, field_name: str, literal: str, reason: str) -> Draft:
    return name, frame, lambda ind: (with_field(frame, ind, field_name, literal), both(Quarantined(reason)))


def _texts() -> Iterator[Draft]:
    for frame, columns in TEXT_COLUMNS.items():
        for column in columns:
            for kind, text in INJECTIONS.items():
                yield cleaned(
                    f"{kind} in {column}", frame, column, json.dumps(text), expected_text(frame, column, text)
                )
    places: list[tuple[Frame, str]] = [("pin", "title"), ("geo", "country"), ("user", "first_name")]
    for number, (kind, text) in enumerate(MORE_TEXTS.items()):
        frame, column = places[number % 3]
        yield cleaned(f"{kind} in {column}", frame, column, json.dumps(text), expected_text(frame, column, text))


def _values() -> Iterator[Draft]:
    for literal, count in FOLLOWERS.items():
        yield cleaned(f"follower_count {literal:.40}", "pin", "follower_count", literal, {"follower_count": count})
    for literal, text in {
        "2020": "2020",
        "true": "true",
        '["a","b"]': '["a","b"]',
        '{"a":1}': '{"a":1}',
        "null": None,
    }.items():
        yield cleaned(f"title {literal}", "pin", "title", literal, {"title": text})
    for literal in BAD_INDS:
        reason = "index is missing" if literal in ("null", '""') else "index is not a whole number"
        yield f"index {literal}", "pin", _bad_ind(literal, reason)
    for name, literals in {"latitude": BAD_LATITUDES, "longitude": BAD_LONGITUDES}.items():
        for literal in literals:
            yield quarantined(f"{name} {literal}", "geo", name, literal, f"{name} is not a number")
    for literal, latitude in GOOD_LATITUDES.items():
        yield cleaned(f"latitude {literal}", "geo", "latitude", literal, {"coordinates": [latitude, GEO["longitude"]]})
    for literal in BAD_AGES:
        yield quarantined(f"age {literal}", "user", "age", literal, "age is not a whole number")
    for literal, age in GOOD_AGES.items():
        yield cleaned(f"age {literal}", "user", "age", literal, {"age": age})
    dates: tuple[tuple[Frame, str], ...] = (("geo", "timestamp"), ("user", "date_joined"))
    for number, text in enumerate(BAD_DATES):
        frame, name = dates[number % 2]
        yield quarantined(f"{name} {text!r}", frame, name, json.dumps(text), f"{name} is not a date")
    for literal in ("1520139967", "true", '["2018-03-04"]'):
        yield quarantined(f"timestamp {literal}", "geo", "timestamp", literal, "timestamp is not a date")
    for text, value in GOOD_DATES.items():
        for frame, name in dates:
            yield cleaned(f"{name} {text!r}", frame, name, json.dumps(text), {name: value})


def _bad_ind(literal: str, reason: str) -> Callable[[int], tuple[str, dict[Path, Fate]]]:
    return lambda _: (f'{{"index": {literal}, "title": "{MARK}"}}', both(Quarantined(reason)))


def _shapes() -> Iterator[Draft]:
    for literal in NO_OBJECTS:
        yield f"a value that is {literal}", "pin", lambda _, text=literal: (text, both(Quarantined(NOT_AN_OBJECT)))  # type: ignore[misc]
    yield "null", "pin", lambda _: ("null", {"batch": Nothing(), "streaming": Quarantined(NOT_AN_OBJECT)})
    yield "no field at all", "user", lambda _: ("{}", both(Quarantined("ind is missing")))
    yield "a field in capitals", "user", lambda ind: (f'{{"IND": {ind}}}', both(Quarantined("ind is missing")))
    yield (
        "nothing but an ind",
        "user",
        lambda ind: (f'{{"ind": {ind}}}', both(Cleaned(ind, {"user_name": None, "age": None}))),
    )
    yield "an ind as text", "user", lambda ind: (f'{{"ind": "{ind}"}}', both(Cleaned(ind)))
    yield "an ind below zero", "user", lambda ind: (f'{{"ind": -{ind}}}', both(Cleaned(-ind)))
    yield (
        "a field that stands twice",
        "user",
        lambda ind: (f'{{"ind": 1, "ind": {ind}, "age": 1, "age": 2}}', both(Cleaned(ind, {"age": 2}))),
    )
    extra = {
        "the pipeline's own columns": '{"reasons": ["x"], "source": "x", "topic": "x", "partition": -1, "offset": -1, "raw": 1, "record": {}}',
        "odd names": '{"": 1, "__proto__": {"a": 1}, "a.b": 1, "$where": "1", "`": 1, "index": {"a": 1}}',
        "a thousand fields": json.dumps({f"field {number}": number for number in range(1000)}),
        "a name of 40 KiB": json.dumps({"x" * 40_960: 1}),
        "a hundred lists": '{"x": ' + "[" * 100 + "]" * 100 + "}",
        "300 objects": '{"x": ' + '{"a":' * 300 + "1" + "}" * 300 + "}",
        "numbers without end": f'{{"a": 1e-400, "b": 0.{"3" * 900}, "c": -0.0}}',
    }
    for name, fields in extra.items():
        yield (
            f"besides its own {name}",
            "user",
            lambda ind, more=fields: (f'{{"ind": {ind}, {more[1:]}', both(Cleaned(ind))),  # type: ignore[misc]
        )
    # Connect reads it as infinity, and writes that as a text; Python, which the gateway is made of, writes what is no JSON.
    yield (
        "latitude 1e400",
        "geo",
        lambda ind: (
            with_field("geo", ind, "latitude", "1e400"),
            {"batch": Quarantined("latitude is not a number"), "streaming": Quarantined(NOT_AN_OBJECT)},
        ),
    )
    # Python's JSON, which the gateway reads with, takes what JSON does not have; the REST proxy refuses it (see below).
    for literal in ("NaN", "Infinity", "-Infinity"):
        yield (
            f"latitude {literal} without quotes",
            "geo",
            lambda ind, text=literal: (  # type: ignore[misc]
                with_field("geo", ind, "latitude", text),
                {"streaming": Quarantined(NOT_AN_OBJECT)},
            ),
        )
    yield (
        "half a surrogate pair",
        "geo",
        lambda ind: (with_field("geo", ind, "country", '"\\ud800"'), {"streaming": Cleaned(ind)}),
    )
    # Kafka's own converter holds 64 bits and drops the others, so that this would be post 7.
    yield (
        "an ind of 65 bits",
        "geo",
        lambda _: (
            f'{{"ind": {2**64 + 7}}}',
            {"batch": DeadLettered("beyond 64 bits"), "streaming": Quarantined("ind is not a whole number")},
        ),
    )
    # Both doors take more than Jackson reads, which Connect and Spark read with: 1,000 levels, names of 50,000 characters.
    yield (
        "a name of 100 KiB",
        "user",
        lambda ind: (
            f'{{"ind": {ind}, "{"x" * 102_400}": 1}}',
            {"batch": DeadLettered("Name length"), "streaming": Quarantined(NOT_AN_OBJECT)},
        ),
    )
    for depth in (1100, 1500):
        yield (
            f"{depth} lists",
            "geo",
            lambda ind, n=depth: (  # type: ignore[misc]
                with_field("geo", ind, "x", "[" * n + "]" * n),
                {"batch": DeadLettered("nesting depth"), "streaming": Quarantined(NOT_AN_OBJECT)},
            ),
        )


def _records() -> Iterator[Record]:
    for number, (name, frame, build) in enumerate([*_texts(), *_values(), *_shapes()]):
        text, fates = build(FIRST_IND + number)
        yield Record(name, frame, text, fates)


RECORDS = list(_records())

# ── Requests to the batch path's door ─────────────────────────────────────────────────────────────────────────────────────

FIRST_OF_REQUESTS = FIRST_IND + 10_000


def _produce(
    name: str, body: bytes | str, fate: Fate, content_type: str | None = KAFKA_JSON, topic: str = "{user_id}.geo"
) -> Request:
    raw = body if isinstance(body, bytes) else body.encode()
    return Request(f"batch: {name}", "batch", "geo", f"/topics/{topic}", raw, fate, content_type)


def _dead(name: str, value: bytes, fate: Fate) -> Request:
    """Bytes that only the binary format can carry past the REST proxy."""
    return _produce(name, json.dumps({"records": [{"value": b64encode(value).decode()}]}), fate, KAFKA_BINARY)


ONE = json.dumps({"records": [{"value": {"ind": 1}}]})


def _batch_requests() -> Iterator[Request]:
    not_json = {
        "no body": "", "half a body": '{"records":[{"value":1}', "a word": f"{MARK}\x1b[2J", "a trailing comma": '{"records":[{"value":1},]}',
        "NaN": '{"records":[{"value":{"ind":NaN}}]}', "Infinity": '{"records":[{"value":-Infinity}]}', "a leading zero": '{"records":[{"value":01}]}',
        "single quotes": "{'records':[{'value':1}]}", "a line end in a text": f'{{"records":[{{"value":"{MARK}\n{FORGED}"}}]}}',
        "half a surrogate pair": '{"records":[{"value":"\\ud800"}]}',
        "two documents": ONE + ONE, "a comment": "/* a */" + ONE,
    }  # fmt: skip
    for name, text in not_json.items():
        yield _produce(name, text, Refused(400, "JSON"))
    yield _produce("not UTF-8", b'{"records":[{"value":"\xff\xfe"}]}', Refused(400, "UTF-8"))
    yield _produce("UTF-16", ONE.encode("utf-16"), Refused(400, "UTF-8"))
    yield _produce("zero bytes", b"\x00" * 100, Refused(400, "JSON"))
    yield _produce("lists without end", '{"records":[{"value":' + "[" * 100_000, Refused(400, "nested"))
    shapes = {
        "a list": "[]", "a number": "1", "records that are a number": '{"records":1}', "records that are null": '{"records":null}',
        "a record that is a number": '{"records":[1]}', "a misspelt value": '{"records":[{"vlaue":1}]}',
        "a partition that is a word": '{"records":[{"value":1,"partition":"x"}]}', "a partition below zero": '{"records":[{"value":1,"partition":-1}]}',
        "Kinesis' body": '{"Records":[{"Data":{"ind":1},"PartitionKey":"a"}]}',
    }  # fmt: skip
    for name, text in shapes.items():
        yield _produce(name, text, Refused(422, "" if "partition below" in name else "shape"))
    yield _produce("an empty object", "{}", Refused(422, "no records"))
    yield _produce("an empty batch", '{"records":[]}', Refused(422, "no records"))
    for kind in (
        "application/json",
        "text/plain",
        "application/xml",
        "application/vnd.kafka.avro.v2+json",
        "application/vnd.kafka.json.v1+json",
    ):
        yield _produce(f"content type {kind}", ONE, Refused(415, "Content-Type"), kind)
    # No proxy before ours lets it through either; whoever is first to refuse it says so in his own words.
    yield _produce("a content type that drives a terminal", ONE, Refused(400, ""), "text/\x1b[2J")
    yield _produce("no content type", ONE, Refused(415, "Content-Type"), None)
    for name, topic in {"another": "{user_id}.pim", "SQL": "{user_id}.pin'--", "a longer": "a" * 250}.items():
        yield _produce(f"{name} topic", ONE, Refused(404, "no topic"), topic=topic)
    yield _produce("partition 99", ONE, Refused(404, "no partition"), topic="{user_id}.geo/partitions/99")
    yield _produce("no Base64", '{"records":[{"value":"no base64!"}]}', Refused(422, "Base64"), KAFKA_BINARY)
    yield _produce("11 MiB", '{"records":[{"value":"' + "x" * (11 * MIB) + '"}]}', Refused(413, ""))
    yield _produce(
        "a value over Kafka's limit",
        json.dumps({"records": [{"value": {"ind": 1, "x": "x" * (MIB + 1)}}]}),
        Refused(200, "large"),
    )
    yield _produce(
        "70,000 records", '{"records":[' + ",".join(['{"value":1}'] * 70_000) + "]}", Refused(413, "records")
    )

    ind = FIRST_OF_REQUESTS
    for name, key in {
        "an object": {"a": MARK},
        "a number": 5,
        "a forged line": f"{MARK}\n{FORGED}",
        "VTL": "#set($x=1)$x",
    }.items():
        ind += 1
        yield _produce(
            f"a key that is {name}", json.dumps({"records": [{"key": key, "value": {"ind": ind}}]}), Cleaned(ind)
        )
    ind += 1
    many = [{"key": 1, "value": {"ind": ind, **GEO, "latitude": number / 1000}} for number in range(10_000)]
    yield _produce(
        "10,000 records of one post",
        json.dumps({"records": many}),
        Cleaned(ind, {"coordinates": [9.999, GEO["longitude"]]}),
    )

    dead = {
        "a word": (f"{MARK} not JSON".encode(), "Unrecognized token"),
        "a word that drives a terminal": (MARK.replace("-", "").encode() + b"\x1b\x07\x08", "Unrecognized token"),
        "a word with a control character of Latin-1": (f"{MARK}\x9b".replace("-", "").encode(), "Unrecognized token"),
        "a forged line": (f"{MARK}\n{FORGED}".encode(), "Unrecognized token"),
        "half a record": (b'{"ind": 4, "country": ', "end-of-input"),
        "not UTF-8": (b'{"country":"\xff\xfe"}', "UTF-8"),
        "zero bytes": (b"\x00" * 8, "CTRL-CHAR"),
        "NaN": (b'{"ind":1,"latitude":NaN}', "NaN"),
        "single quotes": (b"{'ind':1}", "double-quote"),
        "a trailing comma": (b'{"ind":1,}', "double-quote"),
        "a line end in a text": (b'{"country":"a\nb"}', "unquoted character"),
        "1,500 lists": (b'{"x":' + b"[" * 1500 + b"]" * 1500 + b"}", "nesting depth"),
        "a number of 1,001 digits": (b'{"x":' + b"9" * 1001 + b"}", "Number value length"),
        "two values": (b'{"ind":1} {"ind":2}', "more than one JSON value"),
        "words behind a record": (b'{"ind":1} and more', "Unrecognized token"),
        "empty": (b"", "empty"),
        "blank": (b" \n", "empty"),
        "null": (b"null", "JSON's null"),
        "gzip": (b"\x1f\x8b\x08\x00\x00\x00\x00\x00", "CTRL-CHAR"),
    }
    for name, (value, reason) in dead.items():
        yield _dead(f"binary {name}", value, DeadLettered(reason))
    ind += 1
    yield _dead("binary JSON after a byte order mark", b"\xef\xbb\xbf" + f'{{"ind":{ind}}}'.encode(), Cleaned(ind))


# ── Requests to the streaming path's door ─────────────────────────────────────────────────────────────────────────────────


def _put(name: str, body: bytes | str, fate: Fate, content_type: str | None = "application/json", stream: str = "streaming-{user_id}-geo",
         route: str = "record") -> Request:  # fmt: skip
    raw = body if isinstance(body, bytes) else body.encode()
    return Request(
        f"streaming: {name}", "streaming", "geo", f"/streams/{stream}/{route}", raw, fate, content_type, "PUT"
    )


def _kinesis(data: Any, key: Any) -> str:
    return json.dumps({"StreamName": "ignored", "Data": data, "PartitionKey": key})


def _many(records: list[Any]) -> str:
    return json.dumps({"records": records})


INVALID = "Invalid request body"


def _streaming_requests() -> Iterator[Request]:
    good = _kinesis({"ind": 1}, "k")
    bodies: dict[str, bytes | str] = {
        "no body": "", "half a body": good[:-1], "a word": f"{MARK}\x1b[2J", "a list": "[]", "a number": "1", "null": "null", "an empty object": "{}",
        "a trailing comma": good[:-1] + ",}", "single quotes": good.replace('"', "'"), "two documents": good + good,
        "not UTF-8": b'{"Data":{"country":"\xff"},"PartitionKey":"k"}', "UTF-16": good.encode("utf-16"), "a byte order mark": b"\xef\xbb\xbf" + good.encode(),
        "zero bytes": b"\x00" * 100, "no data": '{"PartitionKey":"k"}', "no key": '{"Data":{"ind":1}}',
        "an empty key": _kinesis({"ind": 1}, ""), "a key of 257 characters": _kinesis({"ind": 1}, "a" * 257), "a key that is null": _kinesis({"ind": 1}, None),
        "a key that is a list": _kinesis({"ind": 1}, ["a"]), "a key that is an object": _kinesis({"ind": 1}, {"a": 1}),
        "lists without end": '{"PartitionKey":"k","Data":' + "[" * 100_000 + "]" * 100_000 + "}",
        "a number of 5,000 digits": '{"PartitionKey":"k","Data":' + "9" * 5000 + "}", "Kafka's body": ONE,
    }  # fmt: skip
    for name, body in bodies.items():
        yield _put(name, body, Refused(400, INVALID))
    one = {"data": {"ind": 1}, "partition-key": "k"}
    batches: dict[str, str] = {
        "an empty batch": _many([]), "records that are a text": '{"records":"x"}', "a record that is a number": _many([1]),
        "another spelling": _many([{"Data": 1, "PartitionKey": "a"}]), "one record without data": _many([one, {"partition-key": "k"}]),
        "501 records": _many([one] * 501), "10,000 records": _many([one] * 10_000),
        "both spellings": json.dumps({"records": [one], "Records": [{"Data": 1, "PartitionKey": "a"}]}),
    }  # fmt: skip
    for name, body in batches.items():
        yield _put(name, body, Refused(400, INVALID), route="records")
    for kind in ("text/plain", "application/xml", KAFKA_JSON, "application/x-amz-json-1.1"):
        yield _put(f"content type {kind}", good, Refused(415, "Unsupported Media Type"), kind)
    yield _put(
        "a content type that drives a terminal", good, Refused(415, "Unsupported Media Type"), "application/json\x1b[2J"
    )
    yield _put("another stream", good, Refused(400, "not found"), stream="streaming-{user_id}-pim")
    yield _put("VTL for a stream", good, Refused(400, "invalid characters"), stream="%27%22%24%7Bx%7D")
    yield _put("a record over a MiB", _kinesis({"ind": 1, "x": "x" * (MIB + 1)}, "k"), Refused(400, "too large"))
    ind = FIRST_OF_REQUESTS
    keys = {
        "a quote": '"', "a backslash": "\\", "an apostrophe": "'", "VTL": "#set($x = 1)$x $util.base64Encode('a')", "a variable": "${x}", "JSON": '","Data":"eA==',
        "a forged line": f"{MARK}\n{FORGED}", "a terminal": "\x1b[2J", "a zero byte": "\x00", "emoji": "é🎉", "256 characters": "a" * 256, "a number": 5,
    }  # fmt: skip
    for name, key in keys.items():
        ind += 1
        yield _put(
            f"a key that is {name}", _kinesis({"ind": ind, "country": MARK}, key), Cleaned(ind, {"country": MARK})
        )
    ind += 1
    many = [{"data": {"ind": ind, **GEO, "latitude": number / 10}, "partition-key": "k"} for number in range(500)]
    yield _put(
        "500 records of one post", _many(many), Cleaned(ind, {"coordinates": [49.9, GEO["longitude"]]}), route="records"
    )


REQUESTS = [*_batch_requests(), *_streaming_requests()]
