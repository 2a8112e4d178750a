"""Raw records to clean rows (contract §6): pure functions, the same for the batch and the streaming path.

    parse (raw JSON text → fields as text, and the reasons against the record) → clean_df_* → accepted / rejected

Every column that is not a field of the record, such as where it came from, passes through unchanged and stands last.

Decided here, where the contract leaves it open:
- JSON is strict, and a record is one object: NaN, single quotes, a trailing comma or anything after the object make it "not JSON".
  Of a key that stands twice the last counts, as in JavaScript and Python.
- Where text is expected, any JSON value is taken as its text; where a number is expected, a string that spells one is taken.
- What is absent, null or empty is null and never a reason, except the record's index: an unknown latitude is not an impossible one.
- Digits are 0-9: `９k` is null.
- A fraction of a follower is cut off: `1.2345k` is 1234.
"""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812  (its usual name)

from settings import Frame

FIELDS: dict[Frame, tuple[str, ...]] = {
    "pin": (
        "index",
        "unique_id",
        "title",
        "description",
        "poster_name",
        "follower_count",
        "tag_list",
        "is_image_or_video",
        "image_src",
        "downloaded",
        "save_location",
        "category",
    ),
    "geo": ("ind", "timestamp", "latitude", "longitude", "country"),
    "user": ("ind", "first_name", "last_name", "age", "date_joined"),
}
"""The fields of a record as it is sent (contract §1)."""

COLUMNS: dict[Frame, tuple[str, ...]] = {
    "pin": (
        "ind",
        "unique_id",
        "title",
        "description",
        "follower_count",
        "poster_name",
        "tag_list",
        "is_image_or_video",
        "image_src",
        "save_location",
        "category",
    ),
    "geo": ("ind", "country", "coordinates", "timestamp"),
    "user": ("ind", "user_name", "age", "date_joined"),
}
"""The columns of a clean row, in the contract's order (§6)."""

NOT_AN_OBJECT = "the record is not one JSON object"
NOT_UTF8 = "the record is not UTF-8"
"""Quarantine holds such a record's text with U+FFFD for what was lost, and knows it by this reason: never word it anew."""

_STRICT = {"allowNonNumericNumbers": "false", "allowSingleQuotes": "false"}
_INTEGER = r"^-?[0-9]+\z"
_NUMBER = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?\z"
_FOLLOWERS = r"^([0-9]+(?:\.[0-9]+)?)([kKmM]?)\z"
_OFFSET = r" ?(Z|[+-][0-9]{2}(:?[0-9]{2})?)"
_TIME = rf"[T ][0-9]{{2}}:[0-9]{{2}}(:[0-9]{{2}}(\.[0-9]+)?)?({_OFFSET})?"
_DATE = rf"^[0-9]{{4}}([-:])[0-9]{{2}}\1[0-9]{{2}}({_TIME})?\z"
_INT_MAX = 2**31 - 1


def parse(raw: DataFrame, frame: Frame) -> DataFrame:
    """Take a frame's records apart.

    `raw` has a column `raw`, string, one record a row, and may have others. The result has the frame's `FIELDS`, all of them text, then
    the columns of `raw`, then `reasons`, an array of strings that is empty if nothing speaks against the record.
    """
    element = ", ".join(f"`{name}`: string" for name in FIELDS[frame])
    # Spark reads the first JSON value of a text and ignores what follows. Between brackets and before a second element, anything that
    # follows shows: either the whole does not parse, or it has not two elements.
    wrapped = F.concat(F.lit("["), F.when(F.is_valid_utf8("raw"), F.col("raw")), F.lit(",{}]"))
    elements = F.from_json(wrapped, f"array<struct<{element}>>", _STRICT)
    record = F.when(F.size(elements) == 2, elements[0])
    parsed = raw.withColumn("record", record).withColumn("readable", F.col("record").isNotNull())
    flat = parsed.select("record.*", *raw.columns, "readable")
    return flat.withColumn("reasons", _reasons(frame)).drop("readable")


def clean_df_pin(df: DataFrame) -> DataFrame:
    """Pins: dirty values to null, followers as a number, `save_location` without its first words (contract §6)."""
    return df.select(
        integer("index").alias("ind"),
        text("unique_id"),
        text("title", "No Title Data Available"),
        text("description", "No description available Story format", "No description available"),
        followers("follower_count"),
        text("poster_name", "User Info Error"),
        text("tag_list", "N,o, ,T,a,g,s, ,A,v,a,i,l,a,b,l,e"),
        text("is_image_or_video"),
        text("image_src", "Image src error."),
        F.nullif(F.regexp_replace("save_location", "^Local save in ", ""), F.lit("")).alias("save_location"),
        text("category"),
        *_others(df, "pin"),
    )


def clean_df_geo(df: DataFrame) -> DataFrame:
    """Places: latitude and longitude in one array of doubles, always of two elements (contract §6)."""
    return df.select(
        integer("ind"),
        text("country"),
        F.array(double("latitude"), double("longitude")).alias("coordinates"),
        timestamp("timestamp"),
        *_others(df, "geo"),
    )


def clean_df_user(df: DataFrame) -> DataFrame:
    """Users: one name of two; of a name that lacks one part, the other (contract §6)."""
    name = F.concat_ws(" ", text("first_name"), text("last_name"))
    return df.select(
        integer("ind"),
        F.nullif(name, F.lit("")).alias("user_name"),
        integer("age"),
        timestamp("date_joined"),
        *_others(df, "user"),
    )


CLEAN = {"pin": clean_df_pin, "geo": clean_df_geo, "user": clean_df_user}


def clean(raw: DataFrame, frame: Frame) -> DataFrame:
    """Parse and clean: the contract's columns, then those of `raw`, then `reasons`. Every record stays; none raises an error."""
    return CLEAN[frame](parse(raw, frame))


def accepted(cleaned: DataFrame) -> DataFrame:
    """The rows that nothing speaks against."""
    return cleaned.where(F.size("reasons") == 0)


def rejected(cleaned: DataFrame) -> DataFrame:
    """The rows that belong into quarantine."""
    return cleaned.where(F.size("reasons") > 0)


# Fields to values. Each takes a field's name and gives a column of that name, null where the text spells no such value.


def text(name: str, *dirt: str) -> Column:
    """The text; null if it is empty or exactly one of `dirt`."""
    value = F.col(name)
    return F.when(~value.isin("", *dirt), value).alias(name)


def integer(name: str) -> Column:
    """An int from decimal digits with or without a minus."""
    return F.when(F.col(name).rlike(_INTEGER), F.col(name).try_cast("int")).alias(name)


def double(name: str) -> Column:
    """A double from a decimal number; neither `NaN` nor `0x1p3` nor `1d`, which Java would read as well."""
    return F.when(F.col(name).rlike(_NUMBER), F.col(name).try_cast("double")).alias(name)


def timestamp(name: str) -> Column:
    """A timestamp from ISO-8601, `YYYY-MM-DD HH:MM:SS` or `YYYY:MM:DD HH:MM:SS`; UTC unless it says otherwise; years 1 to 9999."""
    iso = F.regexp_replace(name, "^([0-9]{4}):([0-9]{2}):([0-9]{2})", "$1-$2-$3")
    value = F.when(F.col(name).rlike(_DATE), iso.try_cast("timestamp"))
    # An offset can lead into the year 10000 or 0, which Python and most readers of the table cannot hold.
    return F.when(F.year(value).between(1, 9999), value).alias(name)


def followers(name: str) -> Column:
    """`36k`, `1.2M`, `517` to a bigint; null for anything else and for what is too large for one."""
    number = F.regexp_extract(name, _FOLLOWERS, 1).try_cast("decimal(38,6)")
    unit = F.lower(F.regexp_extract(name, _FOLLOWERS, 2))
    factor = F.when(unit == "k", 1_000).when(unit == "m", 1_000_000).otherwise(1)
    return F.try_multiply(number, factor.cast("decimal(7,0)")).try_cast("bigint").alias(name)


# Checks. Each is a column: the reason against the record, or null.


def is_missing(name: str) -> Column:
    return F.when(text(name).isNull(), F.lit(f"{name} is missing"))


def is_no_integer(name: str, low: int, high: int) -> Column:
    fits = integer(name).between(low, high)
    return _unless(name, fits, f"{name} is not a whole number from {low} to {high}")


def is_no_number(name: str, low: float, high: float) -> Column:
    fits = double(name).between(low, high)
    return _unless(name, fits, f"{name} is not a number from {low:g} to {high:g}")


def is_no_date(name: str) -> Column:
    return _unless(name, timestamp(name).isNotNull(), f"{name} is not a date")


def _unless(name: str, fits: Column, reason: str) -> Column:
    """Absent is no fault; null as an answer is."""
    return F.when(text(name).isNotNull() & ~F.coalesce(fits, F.lit(False)), F.lit(reason))


def _checks(frame: Frame) -> list[Column]:
    key = FIELDS[frame][0]
    checks = [is_missing(key), is_no_integer(key, -_INT_MAX - 1, _INT_MAX)]
    if frame == "geo":
        checks += [is_no_number("latitude", -90, 90), is_no_number("longitude", -180, 180), is_no_date("timestamp")]
    if frame == "user":
        checks += [is_no_integer("age", 0, 120), is_no_date("date_joined")]
    return checks


def _reasons(frame: Frame) -> Column:
    """Every reason; of a record that could not be read, only that, as its fields are not missing but unknown."""
    unreadable = F.when(~F.is_valid_utf8("raw"), F.lit(NOT_UTF8)).otherwise(F.lit(NOT_AN_OBJECT))
    return F.when(F.col("readable"), F.array_compact(F.array(*_checks(frame)))).otherwise(F.array(unreadable))


def _others(df: DataFrame, frame: Frame) -> list[str]:
    return [name for name in df.columns if name not in FIELDS[frame]]
