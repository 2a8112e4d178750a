"""The keys by which the bucket is mounted."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from pyspark.sql import SparkSession

from spark_jobs.credentials import COLUMNS, Keys, bucket_url, keys_in_table
from spark_jobs.errors import CredentialsError

KEYS = Keys("AKIA", "a/b+c@d")


def write(
    spark: SparkSession, path: Path, rows: list[tuple[str | None, ...]], columns: tuple[str, ...] = COLUMNS
) -> str:
    schema = ", ".join(f"`{name}` string" for name in columns)
    table = spark.createDataFrame(rows, schema).write.format("delta").option("delta.columnMapping.mode", "name")
    table.save(str(path / "table"))
    return str(path / "table")


def test_the_originals_table_holds_them(spark: SparkSession, tmp_path: Path) -> None:
    assert keys_in_table(spark, write(spark, tmp_path, [("AKIA", "a/b+c@d")])) == KEYS


def test_a_url_holds_any_key_and_gives_it_back() -> None:
    url = urlsplit(bucket_url("lake", KEYS))
    assert (url.scheme, url.hostname, url.username) == ("s3a", "lake", "AKIA")
    assert unquote(url.password or "") == KEYS.secret_key
    assert bucket_url("lake", None) == "s3a://lake"
    assert KEYS.secret_key not in repr(KEYS)


@pytest.mark.parametrize(
    ("rows", "columns", "reason"),
    [
        ([], COLUMNS, "one row"),
        ([("a", "b"), ("c", "d")], COLUMNS, "one row"),
        ([("a", None)], COLUMNS, "both keys"),
        ([("a",)], COLUMNS[:1], "lacks Secret access key; it has Access key ID"),
    ],
)
def test_a_table_of_another_form_is_told_by_a_sentence(
    spark: SparkSession, tmp_path: Path, rows: list[tuple[str | None, ...]], columns: tuple[str, ...], reason: str
) -> None:
    with pytest.raises(CredentialsError, match=reason):
        keys_in_table(spark, write(spark, tmp_path, rows, columns))


def test_no_table_is_told_by_its_name(spark: SparkSession, tmp_path: Path) -> None:
    with pytest.raises(CredentialsError, match=f"There is no table {tmp_path}"):
        keys_in_table(spark, str(tmp_path))
