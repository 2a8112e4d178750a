"""Contract §6, and every known mistake at the end of §7 that is cleaning's to make."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as F  # noqa: N812

from settings import FRAMES, Frame
from spark_jobs.cleaning import CLEAN, COLUMNS, FIELDS, NOT_AN_OBJECT, NOT_UTF8, accepted, clean, rejected

SOURCE = ("raw", "source", "topic", "partition", "offset", "reasons")

PIN = {
    "index": 7528,
    "unique_id": "fbe53c66-3442-4773-b19e-d3ec6f54dddf",
    "title": "Заголовок 🎉",
    "description": "d",
    "poster_name": "Uloo",
    "follower_count": "36k",
    "tag_list": "a,b",
    "is_image_or_video": "image",
    "image_src": "https://i.pinimg.com/1.jpg",
    "downloaded": 1,
    "save_location": "Local save in /data/mens-fashion",
    "category": "mens-fashion",
}
GEO = {
    "ind": 7528,
    "timestamp": "2020-08-28T03:52:47",
    "latitude": -89.9787,
    "longitude": -173.293,
    "country": "Albania",
}
USER = {"ind": 7528, "first_name": "Abigail", "last_name": "Ali", "age": 20, "date_joined": "2015-10-24T11:23:51"}
GOOD: dict[Frame, dict[str, Any]] = {"pin": PIN, "geo": GEO, "user": USER}


def column(cleaned: DataFrame, name: str) -> list[Any]:
    """The column's values in the order of the records."""
    return [row[name] for row in cleaned.orderBy("offset").collect()]


def variants(frame: Frame, name: str, values: list[Any]) -> list[dict[str, Any]]:
    return [{**GOOD[frame], name: value} for value in values]


def test_pin_is_cleaned_to_the_contracts_columns(raw):
    cleaned = clean(raw(PIN), "pin")
    assert tuple(cleaned.columns) == COLUMNS["pin"] + SOURCE
    assert cleaned.select(*COLUMNS["pin"]).first() == Row(
        ind=7528,
        unique_id="fbe53c66-3442-4773-b19e-d3ec6f54dddf",
        title="Заголовок 🎉",
        description="d",
        follower_count=36_000,
        poster_name="Uloo",
        tag_list="a,b",
        is_image_or_video="image",
        image_src="https://i.pinimg.com/1.jpg",
        save_location="/data/mens-fashion",
        category="mens-fashion",
    )
    assert dict(cleaned.dtypes)["ind"] == "int"
    assert dict(cleaned.dtypes)["follower_count"] == "bigint"


def test_geo_is_cleaned_to_the_contracts_columns(raw):
    cleaned = clean(raw(GEO), "geo")
    assert tuple(cleaned.columns) == COLUMNS["geo"] + SOURCE
    assert dict(cleaned.dtypes)["coordinates"] == "array<double>"
    row = cleaned.selectExpr("ind", "country", "coordinates", "cast(timestamp as string) as timestamp").first()
    assert row == Row(ind=7528, country="Albania", coordinates=[-89.9787, -173.293], timestamp="2020-08-28 03:52:47")


def test_user_is_cleaned_to_the_contracts_columns(raw):
    cleaned = clean(raw(USER), "user")
    assert tuple(cleaned.columns) == COLUMNS["user"] + SOURCE
    assert dict(cleaned.dtypes)["age"] == "int"
    row = cleaned.selectExpr("ind", "user_name", "age", "cast(date_joined as string) as joined").first()
    assert row == Row(ind=7528, user_name="Abigail Ali", age=20, joined="2015-10-24 11:23:51")


@pytest.mark.parametrize(
    ("name", "dirt"),
    [
        ("description", "No description available Story format"),
        ("description", "No description available"),
        ("follower_count", "User Info Error"),
        ("poster_name", "User Info Error"),
        ("image_src", "Image src error."),
        ("tag_list", "N,o, ,T,a,g,s, ,A,v,a,i,l,a,b,l,e"),
        ("title", "No Title Data Available"),
    ],
)
def test_dirty_values_become_null_on_exact_match_only(raw, name, dirt):
    cleaned = clean(raw(*variants("pin", name, [dirt, dirt + "!", ""])), "pin")
    kept = None if name == "follower_count" else dirt + "!"
    assert column(cleaned, name) == [None, kept, None]


def test_the_image_error_without_its_dot_is_not_the_dirty_value(raw):
    assert column(clean(raw(*variants("pin", "image_src", ["Image src error"])), "pin"), "image_src") == [
        "Image src error"
    ]


@pytest.mark.parametrize("frame", FRAMES)
def test_empty_texts_and_absent_fields_become_null_and_are_no_fault(raw, frame):
    key = FIELDS[frame][0]
    cleaned = clean(
        raw({**dict.fromkeys(FIELDS[frame], ""), key: 1}, {key: 2}, {**dict.fromkeys(FIELDS[frame]), key: 3}), frame
    )
    assert column(cleaned, "reasons") == [[], [], []]
    empty = dict.fromkeys(COLUMNS[frame][1:])
    if frame == "geo":
        empty["coordinates"] = [None, None]
    assert [row.asDict() for row in cleaned.select(*COLUMNS[frame][1:]).collect()] == [empty] * 3


FOLLOWERS = {
    "36k": 36_000,  # stripping every non-digit gives 36
    "2M": 2_000_000,  # replacing M with 0000 gives 20,000
    "12K": 12_000,
    "3m": 3_000_000,
    "1.2k": 1_200,  # reading digits only gives 1
    "1.23456M": 1_234_560,
    "1.2345k": 1_234,
    "517": 517,
    "0": 0,
    "007": 7,
    "-": None,
    "-5": None,
    "k": None,
    "": None,
    "９k": None,
    "1,200": None,
    "1.2.3k": None,
    "12kk": None,
    "1e3": None,
    "NaN": None,
    "12k\n": None,
    str(2**63 - 1): 2**63 - 1,
    str(2**63): None,
    str(10**30): None,
    f"{10**30}M": None,
    f"{10**200}": None,
    "9" * 32 + "M": None,
}


def test_follower_counts_are_numbers_or_null(raw):
    cleaned = clean(raw(*variants("pin", "follower_count", list(FOLLOWERS))), "pin")
    assert dict(zip(FOLLOWERS, column(cleaned, "follower_count"), strict=True)) == FOLLOWERS
    assert rejected(cleaned).count() == 0


def test_a_follower_count_may_come_as_a_number(raw):
    cleaned = clean(raw(*variants("pin", "follower_count", [517, 10**30, 1.5, True, {"k": 1}, [1]])), "pin")
    assert column(cleaned, "follower_count") == [517, None, 1, None, None, None]
    assert rejected(cleaned).count() == 0


def test_only_the_first_words_of_a_save_location_go(raw):
    places = ["Local save in /data/art", "/data/art", "/data/Local save in x", "Local save in "]
    cleaned = clean(raw(*variants("pin", "save_location", places)), "pin")
    assert column(cleaned, "save_location") == ["/data/art", "/data/art", "/data/Local save in x", None]


def test_what_stands_where_text_is_expected_is_taken_as_its_text(raw):
    cleaned = clean(raw(*variants("pin", "title", [2020, True, ["a", "b"], {"a": 1}, [], None])), "pin")
    assert column(cleaned, "title") == ["2020", "true", '["a","b"]', '{"a":1}', "[]", None]


NO_INTEGER = "{} is not a whole number from -2147483648 to 2147483647"


@pytest.mark.parametrize("frame", FRAMES)
def test_a_record_needs_its_ind(raw, frame):
    key = FIELDS[frame][0]
    good = [0, 7, "7", -1, 2**31 - 1]
    bad = [1.5, 7.0, True, "x", "7 ", "７", 2**31, 10**30, 10**400, [7], {"ind": 7}]
    cleaned = clean(raw(*variants(frame, key, good + bad), *variants(frame, key, [None, ""]), {"other": 1}, {}), frame)
    expected = [[]] * len(good) + [[NO_INTEGER.format(key)]] * len(bad) + [[f"{key} is missing"]] * 4
    assert column(cleaned, "reasons") == expected
    assert column(accepted(cleaned), "ind") == [0, 7, 7, -1, 2**31 - 1]


NOT_JSON = [
    "",
    " ",
    "null",
    "17",
    '"text"',
    "[]",
    '[{"index": 1, "ind": 1}]',
    "not json",
    '{"index": 1, "ind": 1',
    '{"index": 1, "ind": 1} x',
    '{"index": 1, "ind": 1}}',
    '{"index": 1, "ind": 1}]',
    '{"index": 1, "ind": 1}{"index": 2, "ind": 2}',
    '{"index": 1, "ind": 1},{"index": 2, "ind": 2}',
    '{"index": 1, "ind": 1,}',
    "{'index': 1, 'ind': 1}",
    "{index: 1, ind: 1}",
    '{"index": 1, "ind": 1, "latitude": NaN}',
    '{"index": 1, "ind": 1, "age": Infinity}',
    '{"index": 01, "ind": 01}',
    '{"index": 1, "ind": 1, "title": "a\tb"}',
    '\ufeff{"index": 1, "ind": 1}',
    '{"index": 1, "ind": 1}\x00',
    '{"a": ' + "[" * 2_000 + "]" * 2_000 + "}",
]


@pytest.mark.parametrize("frame", FRAMES)
def test_what_is_not_one_json_object_has_that_one_reason(raw, frame):
    cleaned = clean(raw(*NOT_JSON), frame)
    assert column(cleaned, "reasons") == [[NOT_AN_OBJECT]] * len(NOT_JSON)


def test_what_is_not_utf8_has_that_one_reason(raw):
    cleaned = clean(raw(b'{"index": 1, "title": "\xff\xfe"}', b"\x80", '{"index": 1, "title": "\\ud800"}'), "pin")
    assert column(cleaned, "reasons") == [[NOT_UTF8], [NOT_UTF8], []]


def test_of_a_key_that_stands_twice_the_last_counts(raw):
    cleaned = clean(raw('{"index": 1, "title": "a", "index": 2, "title": "b"}'), "pin")
    assert cleaned.select("ind", "title").first() == Row(ind=2, title="b")


def test_a_carriage_return_at_the_end_is_no_fault(raw):
    assert column(clean(raw('{"index": 1}\r'), "pin"), "reasons") == [[]]


def test_coordinates_keep_all_digits_of_a_double(raw):
    values = [12.345678901234567, -0.000123456789012345, 89.99999999999999]
    cleaned = clean(raw(*variants("geo", "latitude", values)), "geo")
    assert [pair[0] for pair in column(cleaned, "coordinates")] == values


@pytest.mark.parametrize(("name", "at", "limit"), [("latitude", 0, 90), ("longitude", 1, 180)])
def test_coordinates_beyond_the_poles_or_the_date_line_are_impossible(raw, name, at, limit):
    good = [limit, -limit, 0, "12.5", 1e-3, None]
    bad = [limit + 0.0001, -limit - 0.0001, "NaN", "Infinity", 1e300, "x", "12.5d", "0x1p3", "1,5", [1], True]
    cleaned = clean(raw(*variants("geo", name, good + bad), json.dumps(GEO)[:-1] + f', "{name}": 1e999}}'), "geo")
    reason = f"{name} is not a number from -{limit} to {limit}"
    assert column(cleaned, "reasons") == [[]] * len(good) + [[reason]] * (len(bad) + 1)
    assert [pair[at] for pair in column(accepted(cleaned), "coordinates")] == [limit, -limit, 0, 12.5, 1e-3, None]


def test_an_age_is_a_whole_number_that_a_person_can_have(raw):
    good = [0, 120, "37", None, ""]
    bad = [-1, 121, 36.5, "36.5", "old", True, [36], 10**30]
    cleaned = clean(raw(*variants("user", "age", good + bad)), "user")
    reason = "age is not a whole number from 0 to 120"
    assert column(cleaned, "reasons") == [[]] * len(good) + [[reason]] * len(bad)
    assert column(accepted(cleaned), "age") == [0, 120, 37, None, None]


DATES = {
    "2018-03-04T05:06:07": "2018-03-04 05:06:07",
    "2018-03-04 05:06:07": "2018-03-04 05:06:07",
    "2018:03:04 05:06:07": "2018-03-04 05:06:07",
    "2018-03-04T05:06:07Z": "2018-03-04 05:06:07",
    "2018-03-04T05:06:07+02:00": "2018-03-04 03:06:07",
    "2018-03-04T05:06:07-0230": "2018-03-04 07:36:07",
    "2018-03-04T05:06:07.5": "2018-03-04 05:06:07.5",
    "2018-03-04T05:06:07.123456789Z": "2018-03-04 05:06:07.123456",
    "2018-03-04T05:06": "2018-03-04 05:06:00",
    "2018-03-04": "2018-03-04 00:00:00",
    "2020-02-29T00:00:00": "2020-02-29 00:00:00",
    "0001-01-01T00:00:00": "0001-01-01 00:00:00",
    "9999-12-31T23:59:59.999999": "9999-12-31 23:59:59.999999",
}
NO_DATES = [
    "2018-02-29T00:00:00",
    "2018-13-01T00:00:00",
    "2018-01-01T24:00:00",
    "2018-01-01T00:00:60",
    "2018-03:04 05:06:07",
    "2018/03/04 05:06:07",
    "04-03-2018 05:06:07",
    "2018-3-4 05:06:07",
    "0000-00-00 00:00:00",
    "9999-12-31T23:59:59-01:00",
    "0001-01-01T00:00:00+01:00",
    "2018-03-04T05:06:07+25:00",
    "2018-03-04T05:06:07 Europe/Berlin",
    "２０18-03-04T05:06:07",
    "today",
    "1520139967",
    "2018-03-04T05:06:07\n",
    1520139967,
    True,
    ["2018-03-04T05:06:07"],
]


@pytest.mark.parametrize(("frame", "name"), [("geo", "timestamp"), ("user", "date_joined")])
def test_dates_are_read_in_every_format_of_the_contract(raw, frame, name):
    cleaned = clean(raw(*variants(frame, name, list(DATES))), frame)
    assert column(cleaned.withColumn(name, cleaned[name].cast("string")), name) == list(DATES.values())
    assert rejected(cleaned).count() == 0


@pytest.mark.parametrize(("frame", "name"), [("geo", "timestamp"), ("user", "date_joined")])
def test_an_unparseable_date_is_a_reason(raw, frame, name):
    cleaned = clean(raw(*variants(frame, name, NO_DATES)), frame)
    assert column(cleaned, "reasons") == [[f"{name} is not a date"]] * len(NO_DATES)


def test_timestamps_are_utc(raw):
    value = clean(raw(USER), "user").selectExpr("unix_micros(date_joined)").first()[0]
    assert value == datetime(2015, 10, 24, 11, 23, 51, tzinfo=UTC).timestamp() * 1e6


def test_every_reason_is_given(raw):
    cleaned = clean(raw({"latitude": 91, "longitude": "x", "timestamp": "?"}), "geo")
    assert column(cleaned, "reasons") == [
        [
            "ind is missing",
            "latitude is not a number from -90 to 90",
            "longitude is not a number from -180 to 180",
            "timestamp is not a date",
        ]
    ]


def test_a_name_that_lacks_one_part_is_the_other(raw):
    names = [("A", "B"), ("A", ""), (None, "B"), ("", None)]
    records = [{**USER, "first_name": first, "last_name": last} for first, last in names]
    assert column(clean(raw(*records), "user"), "user_name") == ["A B", "A", "B", None]


# Half surrogate pairs as well, which are no text for UTF-8 but can be spelled in JSON.
TEXTS = st.text(st.characters()) | st.sampled_from([*NOT_JSON, *(str(date) for date in NO_DATES), *FOLLOWERS, *DATES])
VALUES = st.recursive(
    TEXTS | st.none() | st.booleans() | st.integers() | st.floats(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


def records_of(frame: Frame) -> st.SearchStrategy[list[Any]]:
    record = st.fixed_dictionaries({}, optional=dict.fromkeys(FIELDS[frame], VALUES)).map(json.dumps)
    return st.lists(record | TEXTS | st.binary(), min_size=1, max_size=60)


@pytest.mark.parametrize("frame", FRAMES)
@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))  # of up to 60 records each
@given(data=st.data())
def test_no_record_raises_and_none_is_lost(raw, frame, data):
    records = data.draw(records_of(frame))
    cleaned = clean(raw(*records), frame).persist()
    rows, rejects = accepted(cleaned).collect(), rejected(cleaned).collect()
    cleaned.unpersist()
    assert sorted(row.offset for row in rows + rejects) == list(range(len(records)))
    assert all(row.ind is not None for row in rows)


@pytest.mark.parametrize("frame", FRAMES)
@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))  # of up to 60 records each
@given(data=st.data())
def test_any_text_in_any_column_is_cleaned_and_every_row_stays(spark, frame, data):
    """The cleaning functions by themselves: with texts that no JSON has led to."""
    texts = (
        st.none()
        | st.text()
        | st.sampled_from([*FOLLOWERS, *DATES, *(text for text in NO_DATES if isinstance(text, str))])
    )
    rows = data.draw(st.lists(st.tuples(*(texts for _ in FIELDS[frame])), min_size=1, max_size=60))
    schema = ", ".join(f"`{name}` string" for name in FIELDS[frame])
    cleaned = CLEAN[frame](spark.createDataFrame(rows, schema))
    assert tuple(cleaned.columns) == COLUMNS[frame]
    # As text: Python's datetime ends before Spark's timestamps do.
    assert len(cleaned.select([F.col(name).cast("string") for name in cleaned.columns]).collect()) == len(rows)
