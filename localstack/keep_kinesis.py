"""LocalStack runs this in its own process before it serves: puts the journal (kinesis_journal.py) between Kinesis' answers and those who asked.

A change to a stream is answered when it has come about, as only then its shards are known; AWS answers at once. That takes half a second.
"""

import sys
import time
from functools import cache
from pathlib import Path
from typing import Any

import kinesis_journal
from kinesis_journal import Journal
from localstack.aws.connect import connect_to
from localstack.aws.handlers import run_custom_response_handlers
from localstack.services.kinesis.kinesis_mock_server import KinesisMockNodeServer

from localstack import config

READS = ("Get", "Describe", "List", "Subscribe")


def file_of(account: str, suffix: str) -> Path:
    return Path(config.dirs.data) / "kinesis" / f"{account}.{suffix}"


@cache
def journal_of(account: str) -> Journal:
    return Journal(file_of(account, "journal"))


def keep(_chain: Any, context: Any, response: Any) -> None:
    if not context.service or context.service.service_name != "kinesis" or response.status_code != 200:
        return
    operation, request = context.operation.name, context.service_request
    name = request.get("StreamName") or (request.get("StreamARN") or "").rpartition("/")[2]
    if operation.startswith(READS) or not name:
        return
    arn = f"arn:aws:kinesis:{context.region}:{context.account_id}:stream/{name}"
    try:
        if operation in ("PutRecord", "PutRecords"):
            entry = {"stream": arn, "records": kinesis_journal.taken(request, context.service_response, time.time())}
        else:
            entry = {"stream": arn, "state": None if operation == "DeleteStream" else settled(context, name, arn)}
        journal_of(context.account_id).append(entry)
    except Exception as error:
        # Whatever it was: what is not in the journal must not be acknowledged.
        response.status_code = 500
        response.set_json(
            {"__type": "InternalFailure", "message": f"The journal of Kinesis was not written: {error!r}"}
        )
        raise


def settled(context: Any, name: str, arn: str) -> dict[str, Any] | None:
    """The stream's state as soon as no change to it is under way; None if it is gone."""
    client = connect_to(aws_access_key_id=context.account_id, region_name=context.region).kinesis
    while True:
        try:
            summary = client.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]
        except client.exceptions.ResourceNotFoundException:
            return None
        if summary["StreamStatus"] == "ACTIVE":
            pages = client.get_paginator("list_shards").paginate(StreamName=name)
            return kinesis_journal.stream_state(arn, summary, [shard for page in pages for shard in page["Shards"]])
        time.sleep(0.02)


start_command = KinesisMockNodeServer._create_shell_command


def restoring(server: Any) -> tuple[list[str], dict[str, Any]]:
    """kinesis-mock's command, behind the one that makes its file: each time it starts, also when it died alone."""
    command, environment = start_command(server)
    files = [str(file_of(server._account_id, suffix)) for suffix in ("journal", "json")]
    return [sys.executable, kinesis_journal.__file__, *files, *map(str, command)], environment


KinesisMockNodeServer._create_shell_command = restoring
run_custom_response_handlers.append(keep)
