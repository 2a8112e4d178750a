"""The eight questions (contract §7): pure functions of the clean tables.

Decided here, where the contract leaves it open:
- A post takes part in a question if the frames that it asks about all have it (inner join by `ind`); a late geo record is in the next answer.
- What is unknown (a null country, category, name or follower count) belongs to no group and is no answer.
- Medians are over posts: a user with two posts counts twice, as in the original.
- In question 3 a poster's follower count is the largest of his posts'.
"""

from collections.abc import Callable

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F  # noqa: N812

JOINED = (2015, 2020)
POSTED = (2018, 2022)

Question = Callable[[DataFrame, DataFrame, DataFrame], DataFrame]


def age_group(age: str = "age") -> Column:
    """The contract's groups; null for a null age and for a minor. 50 itself is in `36-50`."""
    value = F.col(age)
    return (
        F.when(value.between(18, 24), "18-24")
        .when(value.between(25, 35), "25-35")
        .when(value.between(36, 50), "36-50")
        .when(value > 50, "50+")
        .alias("age_group")
    )


def category_by_country(pin: DataFrame, geo: DataFrame, user: DataFrame) -> DataFrame:
    """1: the most popular category in each country."""
    return _most_popular(_counted(pin.join(geo, "ind"), F.col("country")), "country")


def category_by_year(pin: DataFrame, geo: DataFrame, user: DataFrame) -> DataFrame:
    """2: the most popular category in each year from 2018 to 2022."""
    return _most_popular(categories_by_year(pin, geo, user), "post_year")


def categories_by_year(pin: DataFrame, geo: DataFrame, user: DataFrame) -> DataFrame:
    """2_all: how many posts of every category in each year from 2018 to 2022."""
    year = F.year("timestamp").alias("post_year")
    counts = _counted(pin.join(geo, "ind").where(year.between(*POSTED)), year)
    return counts.orderBy("post_year", F.desc("category_count"), "category")


def poster_by_country(pin: DataFrame, geo: DataFrame, user: DataFrame) -> DataFrame:
    """3: the poster with most followers in each country."""
    return _first(_posters(pin, geo), "country", "follower_count").orderBy("country", "poster_name")


def top_poster(pin: DataFrame, geo: DataFrame, user: DataFrame) -> DataFrame:
    """3_top: the country with the most-followed poster of all; several rows if several have as many."""
    posters = _posters(pin, geo)
    most = posters.agg(F.max("follower_count").alias("follower_count"))
    return posters.join(most, "follower_count").select(*posters.columns).orderBy("country", "poster_name")


def category_by_age(pin: DataFrame, geo: DataFrame, user: DataFrame) -> DataFrame:
    """4: the most popular category in each age group."""
    return _most_popular(_counted(pin.join(user, "ind"), age_group()), "age_group")


def followers_by_age(pin: DataFrame, geo: DataFrame, user: DataFrame) -> DataFrame:
    """5: the median follower count of each age group."""
    return _median_followers(pin.join(user, "ind"), age_group())


def users_by_year(pin: DataFrame, geo: DataFrame, user: DataFrame) -> DataFrame:
    """6: how many users joined in each year from 2015 to 2020."""
    users = user.select("user_name", "date_joined").distinct()
    joined = users.select(_year_joined()).where(F.col("post_year").between(*JOINED))
    return joined.groupBy("post_year").agg(F.count("*").alias("number_users_joined")).orderBy("post_year")


def followers_by_year(pin: DataFrame, geo: DataFrame, user: DataFrame) -> DataFrame:
    """7: the median follower count of the users who joined in each year from 2015 to 2020."""
    return _median_followers(_joined_posts(pin, user), _year_joined())


def followers_by_year_and_age(pin: DataFrame, geo: DataFrame, user: DataFrame) -> DataFrame:
    """8: the same by age group."""
    return _median_followers(_joined_posts(pin, user), age_group(), _year_joined())


QUESTIONS: dict[str, Question] = {
    "1": category_by_country,
    "2": category_by_year,
    "2_all": categories_by_year,
    "3": poster_by_country,
    "3_top": top_poster,
    "4": category_by_age,
    "5": followers_by_age,
    "6": users_by_year,
    "7": followers_by_year,
    "8": followers_by_year_and_age,
}
"""Each answer's name and the question behind it."""


def _year_joined() -> Column:
    return F.year("date_joined").alias("post_year")


def _joined_posts(pin: DataFrame, user: DataFrame) -> DataFrame:
    return pin.join(user, "ind").where(F.year("date_joined").between(*JOINED))


def _counted(posts: DataFrame, group: Column) -> DataFrame:
    """The posts of each group and category, where both are known."""
    known = posts.select(group, "category").dropna()
    return known.groupBy(*known.columns).agg(F.count("*").alias("category_count"))


def _most_popular(counts: DataFrame, group: str) -> DataFrame:
    return _first(counts, group, "category_count").orderBy(group, "category")


def _first(rows: DataFrame, group: str, by: str) -> DataFrame:
    """The rows with the highest value in each group, all of them at a tie."""
    ranked = rows.withColumn("rank", F.rank().over(Window.partitionBy(group).orderBy(F.desc(by))))
    return ranked.where(F.col("rank") == 1).drop("rank")


def _posters(pin: DataFrame, geo: DataFrame) -> DataFrame:
    known = pin.join(geo, "ind").select("country", "poster_name", "follower_count").dropna()
    return known.groupBy("country", "poster_name").agg(F.max("follower_count").alias("follower_count"))


def _median_followers(posts: DataFrame, *groups: Column) -> DataFrame:
    known = posts.select(*groups, "follower_count").dropna()
    names = known.columns[:-1]
    return known.groupBy(*names).agg(F.median("follower_count").alias("median_follower_count")).orderBy(*names)
