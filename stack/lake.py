"""What the lake holds: raw objects as the sink left them (contract §5), and Delta tables."""

import re
from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import boto3
import pyarrow as pa
from botocore.exceptions import BotoCoreError, ClientError
from deltalake import DeltaTable, QueryBuilder
from deltalake.exceptions import TableNotFoundError

from settings import Settings
from stack.errors import DataError
from stack.topics import Partition

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

OBJECT_NAME = re.compile(
    r"^topics/(?P<topic>[^/]+)/partition=(?P<partition>\d+)/(?P=topic)\+(?P=partition)\+(?P<start>\d{10})\.json$"
)


@dataclass(frozen=True)
class Landed:
    """One partition's raw objects. `next_offset` is the offset after the last record that landed."""

    objects: int
    size: int
    next_offset: int


@cache
def client(settings: Settings) -> "S3Client":
    """S3 as the settings reach it."""
    s3: S3Client = boto3.client("s3", **settings.client_options("s3"))
    return s3


def landed(settings: Settings) -> dict[Partition, Landed]:
    """The raw objects of each partition that has any. Raises `DataError` where S3 or the bucket is out of reach."""
    s3 = client(settings)
    found: dict[Partition, list[tuple[str, int]]] = defaultdict(list)
    try:
        for page in s3.get_paginator("list_objects_v2").paginate(
            Bucket=settings.bucket, Prefix=f"topics/{settings.user_id}."
        ):
            for item in page.get("Contents", []):
                if name := OBJECT_NAME.match(item["Key"]):
                    found[name["topic"], int(name["partition"])].append((item["Key"], item["Size"]))
        return {
            partition: Landed(
                len(objects), sum(size for _, size in objects), _next_offset(s3, settings.bucket, objects[-1][0])
            )
            for partition, objects in sorted(found.items())
        }
    except (BotoCoreError, ClientError) as error:
        raise DataError(
            f"The lake s3://{settings.bucket} cannot be listed: {error}. `make status` says more."
        ) from error


def _next_offset(s3: "S3Client", bucket: str, key: str) -> int:
    """S3 lists keys in order, and ten digits keep the order of offsets, so the last key is the last object."""
    said = s3.head_object(Bucket=bucket, Key=key)["Metadata"].get("last-offset")
    if said is not None:
        return int(said) + 1
    # Confluent's sink does not say it: its lines are counted from the offset in the object's name.
    lines = sum(1 for _ in s3.get_object(Bucket=bucket, Key=key)["Body"].iter_lines())
    return int(key.removesuffix(".json").rpartition("+")[2]) + lines


def behind(settings: Settings, ends: dict[Partition, int]) -> int:
    """How many records of Kafka's `ends` have not landed yet."""
    there = landed(settings)
    return sum(
        max(0, end - (there[partition].next_offset if partition in there else 0)) for partition, end in ends.items()
    )


def table(settings: Settings, path: str) -> DeltaTable | None:
    """The Delta table at `path` in the bucket, or None if there is none."""
    options = {"AWS_REGION": settings.aws_region}
    if settings.s3_endpoint_url:
        options |= {"AWS_ENDPOINT_URL": settings.s3_endpoint_url, "AWS_ALLOW_HTTP": "true"}
    options |= {name.upper(): value for name, value in _credentials(settings).items() if value}
    try:
        return DeltaTable(f"s3://{settings.bucket}/{path}", storage_options=options)
    except TableNotFoundError:
        return None
    except Exception as error:  # delta-rs raises its own kinds for each thing that S3 may answer
        raise DataError(f"The table s3://{settings.bucket}/{path} cannot be read: {error}.") from error


def _credentials(settings: Settings) -> dict[str, str | None]:
    """As the SDK finds them: delta-rs knows fewer places to look in, `~/.aws` not among them."""
    if settings.aws_credentials:
        return dict(settings.aws_credentials)
    found = boto3.Session().get_credentials()
    if found is None:
        raise DataError("No AWS credentials were found. `aws configure` or `aws sso login` sets them up.")
    frozen = found.get_frozen_credentials()
    return {
        "aws_access_key_id": frozen.access_key,
        "aws_secret_access_key": frozen.secret_key,
        "aws_session_token": frozen.token,
    }


def stream(table: DeltaTable, columns: str = "*") -> pa.RecordBatchReader:
    """A table's rows, or some columns of them, as SQL names them, a batch at a time."""
    return _execute(table, f"SELECT {columns} FROM rows")


def rows(table: DeltaTable, columns: str = "*") -> pa.Table:
    """The same, all at once."""
    return query(table, f"SELECT {columns} FROM rows")


def query(table: DeltaTable, sql: str) -> pa.Table:
    """What the SQL finds in the table, whose name there is `rows`."""
    found = _execute(table, sql).read_all()
    # Its texts are views, which pyarrow cannot compare yet.
    plain = [field.with_type(pa.string()) if field.type == pa.string_view() else field for field in found.schema]
    return found.cast(pa.schema(plain))


def _execute(table: DeltaTable, sql: str) -> pa.RecordBatchReader:
    """By delta-rs alone: of the processes that read with pyarrow's own reader, one in fifteen aborted at its end ("terminate called without an
    active exception").
    """
    return pa.RecordBatchReader.from_stream(QueryBuilder().register("rows", table).execute(sql))
