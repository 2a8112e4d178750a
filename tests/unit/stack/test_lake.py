"""How far the lake has come, by its last objects."""

import io

import boto3
from botocore.response import StreamingBody
from botocore.stub import Stubber

from stack import lake

KEY = "topics/abc.pin/partition=2/abc.pin+2+0000000040.json"
NAMED = {"Bucket": "lake", "Key": KEY}


def test_our_sinks_objects_say_their_last_offset() -> None:
    s3 = boto3.client("s3", region_name="us-east-1")
    with Stubber(s3) as far_side:
        far_side.add_response("head_object", {"Metadata": {"last-offset": "44"}}, NAMED)
        assert lake._next_offset(s3, "lake", KEY) == 45


def test_of_confluents_objects_the_lines_are_counted() -> None:
    s3 = boto3.client("s3", region_name="us-east-1")
    content = b'{"ind": 1}\n{"ind": 2}\n{"ind": 3}\n'
    with Stubber(s3) as far_side:
        far_side.add_response("head_object", {"Metadata": {}}, NAMED)
        far_side.add_response("get_object", {"Body": StreamingBody(io.BytesIO(content), len(content))}, NAMED)
        assert lake._next_offset(s3, "lake", KEY) == 43
