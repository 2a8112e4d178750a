"""Contract §7: each question and its known mistakes by hand, then all of them against the oracle on some thousand rows."""

import json
import random
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from pyspark.sql import DataFrame, SparkSession

from settings import FRAMES
from spark_jobs.answers import write_answers
from spark_jobs.cleaning import accepted, clean
from spark_jobs.paths import Lake
from spark_jobs.questions import QUESTIONS, age_group
from tests.oracle import ANSWERS, answers, compare

PIN = "ind int, category string, poster_name string, follower_count bigint"
GEO = "ind int, country string, timestamp timestamp"
USER = "ind int, user_name string, age int, date_joined timestamp"


def ask(spark: SparkSession, name: str, pin: list[Any] = (), geo: list[Any] = (), user: list[Any] = ()) -> list[Any]:
    """Answer one question: pins (ind, category, poster, followers), places (ind, country, time), users (ind, name, age, joined)."""
    frames = [spark.createDataFrame(list(rows), schema) for rows, schema in ((pin, PIN), (geo, GEO), (user, USER))]
    return [tuple(row) for row in QUESTIONS[name](*frames).collect()]


def at(year: int) -> datetime:
    return datetime(year, 6, 1)


def test_1_is_the_most_popular_category_of_each_country_with_its_ties_in_order(spark):
    pins = [(i, category, "p", 1) for i, category in enumerate(["art", "art", "beauty", "travel", "quotes"])]
    places = [(i, country, at(2018)) for i, country in enumerate(["Aruba", "Aruba", "Aruba", "Benin", "Benin"])]
    assert ask(spark, "1", pins, places) == [("Aruba", "art", 2), ("Benin", "quotes", 1), ("Benin", "travel", 1)]


def test_2_covers_2018_to_2022_inclusive(spark):
    years = [2017, 2018, 2019, 2020, 2021, 2022, 2023]
    pins = [(i, "art", "p", 1) for i, _ in enumerate(years)]
    places = [(i, "Aruba", at(year)) for i, year in enumerate(years)]
    expected = [(year, "art", 1) for year in range(2018, 2023)]
    assert ask(spark, "2", pins, places) == expected
    assert ask(spark, "2_all", pins, places) == expected


def test_2_all_keeps_every_category_and_2_the_first(spark):
    pins = [(0, "art", "p", 1), (1, "art", "p", 1), (2, "beauty", "p", 1)]
    places = [(i, "Aruba", at(2018)) for i in range(3)]
    assert ask(spark, "2_all", pins, places) == [(2018, "art", 2), (2018, "beauty", 1)]
    assert ask(spark, "2", pins, places) == [(2018, "art", 2)]


POSTERS = [(0, "art", "Ann", 5), (1, "art", "Ann", 7), (2, "art", "Bob", 7), (3, "art", "Cy", 6), (4, "art", "Di", 7)]
PLACES = [
    (0, "Aruba", at(2018)),
    (1, "Aruba", at(2018)),
    (2, "Aruba", at(2018)),
    (3, "Benin", at(2018)),
    (4, "Chad", at(2018)),
]


def test_3_is_each_poster_once_with_ties(spark):
    expected = [("Aruba", "Ann", 7), ("Aruba", "Bob", 7), ("Benin", "Cy", 6), ("Chad", "Di", 7)]
    assert ask(spark, "3", POSTERS, PLACES) == expected


def test_3_top_is_the_country_of_the_most_followed_poster(spark):
    assert ask(spark, "3_top", POSTERS[:4], PLACES) == [("Aruba", "Ann", 7), ("Aruba", "Bob", 7)]
    assert ask(spark, "3_top", POSTERS, PLACES) == [("Aruba", "Ann", 7), ("Aruba", "Bob", 7), ("Chad", "Di", 7)]


def test_3_asks_for_known_posters_and_counts(spark):
    pins = [(0, "art", None, 9), (1, "art", "Ann", None), (2, "art", "Bob", 0)]
    assert ask(spark, "3", pins, [(i, "Aruba", at(2018)) for i in range(3)]) == [("Aruba", "Bob", 0)]


AGES = {
    None: None,  # otherwise("50+") would take it
    17: None,  # and this one
    0: None,
    18: "18-24",
    24: "18-24",
    25: "25-35",
    35: "25-35",
    36: "36-50",
    50: "36-50",
    51: "50+",
    120: "50+",
}


def test_age_groups_hold_adults_of_known_age(spark):
    ages = spark.createDataFrame([(age,) for age in AGES], "age int")
    assert [row[0] for row in ages.select(age_group()).collect()] == list(AGES.values())


def test_4_has_no_group_for_minors_and_unknown_ages(spark):
    pins = [(i, "art", "p", 1) for i in range(4)]
    users = [(i, "u", age, at(2016)) for i, age in enumerate([None, 15, 20, 60])]
    assert ask(spark, "4", pins, user=users) == [("18-24", "art", 1), ("50+", "art", 1)]


def test_5_is_the_exact_median(spark):
    pins = [(i, "art", "p", followers) for i, followers in enumerate([1, 2, 10_000_000_001, 10_000_000_002, None])]
    users = [(i, "u", 20, at(2016)) for i in range(5)]
    assert ask(spark, "5", pins, user=users) == [("18-24", 5_000_000_001.5)]
    assert ask(spark, "5", pins[:3], user=users) == [("18-24", 2.0)]


def test_6_counts_users_and_not_posts(spark):
    users = [
        (0, "Ann", 20, datetime(2016, 1, 1)),
        (1, "Ann", 20, datetime(2016, 1, 1)),  # the same user's second post
        (2, "Ann", 30, datetime(2016, 1, 2)),  # another of that name
        (3, "Bob", 20, datetime(2015, 1, 1)),
        (4, "Cy", 20, datetime(2020, 12, 31, 23, 59, 59)),
        (5, "Di", 20, datetime(2014, 12, 31, 23, 59, 59)),
        (6, "Ed", 20, datetime(2021, 1, 1)),
    ]
    assert ask(spark, "6", user=users) == [(2015, 1), (2016, 2), (2020, 1)]


def test_7_and_8_go_by_the_year_of_joining(spark):
    pins = [(i, "art", "p", 10 * i) for i in range(6)]
    users = [
        (i, "u", age, at(year))
        for i, (age, year) in enumerate([(20, 2014), (20, 2015), (40, 2015), (20, 2020), (20, 2021), (None, 2015)])
    ]
    assert ask(spark, "7", pins, user=users) == [(2015, 20.0), (2020, 30.0)]
    assert ask(spark, "8", pins, user=users) == [("18-24", 2015, 10.0), ("18-24", 2020, 30.0), ("36-50", 2015, 20.0)]


def test_a_post_that_lacks_a_frame_waits(spark):
    assert ask(spark, "1", [(0, "art", "p", 1)], [(1, "Aruba", at(2018))]) == []
    assert ask(spark, "4", [(0, "art", "p", 1)], user=[(1, "u", 20, at(2016))]) == []


def test_unknown_countries_and_categories_are_no_groups(spark):
    pins = [(0, None, "p", 1), (1, "art", "p", 1)]
    assert ask(spark, "1", pins, [(0, "Aruba", at(2018)), (1, None, at(2018))]) == []


COLUMNS = {
    "1": ["country", "category", "category_count"],
    "2": ["post_year", "category", "category_count"],
    "2_all": ["post_year", "category", "category_count"],
    "3": ["country", "poster_name", "follower_count"],
    "3_top": ["country", "poster_name", "follower_count"],
    "4": ["age_group", "category", "category_count"],
    "5": ["age_group", "median_follower_count"],
    "6": ["post_year", "number_users_joined"],
    "7": ["post_year", "median_follower_count"],
    "8": ["age_group", "post_year", "median_follower_count"],
}


def source_rows(count: int, seed: int) -> dict[str, list[dict[str, Any]]]:
    """Rows such as MySQL holds (contract §1), few enough of everything that ties, dirt and borders are met."""
    draw = random.Random(seed)
    people = [
        {
            "first_name": draw.choice(["Ann", "Bob", "Cy"]),
            "last_name": draw.choice("ABCDEFGH"),
            "age": draw.choice([None, 15, 18, 24, 25, 35, 36, 50, 51, 60, 120]),
            "date_joined": datetime(2014, 11, 1) + timedelta(days=draw.randrange(2_400)),
            "country": draw.choice(["", *(f"Country {n}" for n in range(40))]),
            "poster_name": draw.choice(["User Info Error", "", *(f"Poster {n}" for n in range(60))]),
            "follower_count": draw.choice(
                ["User Info Error", "-", "１k", "517", "1.5k", "36k", "2M", "15M", "36K", "1m"]
            ),
        }
        for _ in range(count // 4)
    ]
    rows: dict[str, list[dict[str, Any]]] = {"pin": [], "geo": [], "user": []}
    for index in range(count):
        person = draw.choice(people)
        rows["pin"].append(
            {
                "index": index,
                "poster_name": person["poster_name"],
                "follower_count": person["follower_count"],
                "category": draw.choice(["", "art", "beauty", "christmas", "finance", "travel"]),
            }
        )
        rows["geo"].append(
            {
                "ind": index,
                "timestamp": datetime(2017, 6, 1) + timedelta(days=draw.randrange(2_200)),
                "latitude": draw.choice([None, draw.uniform(-90, 90)]),
                "longitude": draw.uniform(-180, 180),
                "country": person["country"],
            }
        )
        rows["user"].append({"ind": index, **{k: person[k] for k in ("first_name", "last_name", "age", "date_joined")}})
    return rows


def cleaned(spark: SparkSession, frame: Any, rows: list[dict[str, Any]]) -> DataFrame:
    records = [(json.dumps(row, default=datetime.isoformat),) for row in rows]
    return accepted(clean(spark.createDataFrame(records, "raw string"), frame))


def arrow(frame: DataFrame) -> pa.Table:
    return frame.toArrow()


@pytest.fixture(scope="module")
def posted() -> dict[str, list[dict[str, Any]]]:
    return source_rows(2_000, seed=100)


@pytest.fixture(scope="module")
def oracle(posted) -> dict[str, pa.Table]:
    return answers(*(pa.Table.from_pylist(posted[frame]) for frame in FRAMES))


@pytest.fixture(scope="module")
def answered(spark, posted, tmp_path_factory) -> Lake:
    lake = Lake(str(tmp_path_factory.mktemp("lake")))
    write_answers({frame: cleaned(spark, frame, posted[frame]) for frame in FRAMES}, lake)
    return lake


@pytest.mark.parametrize("name", ANSWERS)
def test_the_oracle_agrees(spark, answered, oracle, name):
    answer = spark.read.format("delta").load(answered.answer(name))
    assert answer.columns == COLUMNS[name]
    assert oracle[name].num_rows > 0
    assert compare(arrow(answer), oracle[name]) == []


def test_the_questions_are_the_oracles(spark):
    assert tuple(QUESTIONS) == ANSWERS


def test_a_written_answer_keeps_its_order(spark, answered, posted):
    frames = [cleaned(spark, frame, posted[frame]) for frame in FRAMES]
    written = spark.read.format("delta").load(answered.answer("2_all")).collect()
    assert written == QUESTIONS["2_all"](*frames).collect()
    assert len(written) > 5


def test_a_difference_is_told_in_sentences():
    one = pa.table({"age_group": ["18-24", "25-35"], "median_follower_count": [1.0, 2.0]})
    other = pa.table({"age_group": ["18-24", "25-35"], "median_follower_count": [1.0, 3.0]})
    assert compare(one, one) == []
    assert compare(one, other) == [
        "1 of its rows are missing from the answer, such as ('25-35', 3.0).",
        "1 of its rows are in the answer and should not be, such as ('25-35', 2.0).",
    ]
    assert compare(pa.concat_tables([one, one]), one)[0].startswith("2 of its rows are in the answer")
    assert compare(one.rename_columns(["age", "median"]), one)[0].startswith("The columns are age, median;")
