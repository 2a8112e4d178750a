"""The part of the cloud's template that LocalStack has: really deployed, used with its key and without, updated and deleted."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import boto3
import pytest
import requests

from cloud.documents import load_document, with_deployment_of_its_own
from cloud.stacks import KEEP, Stacks
from settings import FRAMES, Settings
from tests.integration.conftest import Stack

TEMPLATE = Path(__file__).parent.parent.parent / "cloud" / "hardened.yaml"


@dataclass(frozen=True)
class Deployed:
    """The stack of a user of its own beside the running one."""

    settings: Settings
    stacks: Stacks
    template: dict[str, object]
    key: str

    def request(self, method: str, path: str, key: str | None, **options: object) -> requests.Response:
        url = f"{self.settings.aws_endpoint_url}/_aws/execute-api/hardened/prod{path}"
        headers = {"x-api-key": key} if key else {}
        return requests.request(method, url, headers=headers, timeout=60, **options)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def deployed(stack: Stack) -> Iterator[Deployed]:
    settings = stack.settings.model_copy(update={"user_id": "hardened"})
    stacks = Stacks(settings)
    template = with_deployment_of_its_own(load_document(TEMPLATE))
    template["Resources"]["Api"]["Properties"]["Tags"] = [{"Key": "_custom_id_", "Value": "hardened"}]
    proxy = Settings.load("container").rest_proxy_url
    outputs = stacks.deploy(settings.stack_name, template, {"UserId": settings.user_id, "RestProxyUrl": proxy})
    gateway = boto3.client("apigateway", **settings.client_options("apigateway"))
    key = gateway.get_api_key(apiKey=outputs["ApiKeyId"], includeValue=True)["value"]
    yield Deployed(settings, stacks, template, key)
    stacks.delete(settings.stack_name)
    boto3.resource("s3", **settings.client_options("s3")).Bucket(settings.bucket).delete()


def test_without_the_key_or_with_another_nobody_gets_in(deployed: Deployed) -> None:
    for key in (None, "x" * len(deployed.key)):
        for method, path in (
            ("GET", "/topics"),
            ("GET", "/streams"),
            ("PUT", "/streams/streaming-hardened-pin/record"),
        ):
            answer = deployed.request(
                method, path, key, json={"Data": {}, "PartitionKey": "1"} if method == "PUT" else None
            )
            assert answer.status_code == 403, (method, path, answer.text)


def test_with_it_both_paths_are_open(deployed: Deployed, stack: Stack) -> None:
    topics = deployed.request("GET", "/topics", deployed.key)
    assert topics.status_code == 200, topics.text
    assert stack.settings.topic("pin") in topics.json()
    for frame in FRAMES:
        stream = deployed.settings.stream(frame)
        body = {"StreamName": stream, "Data": {"ind": 1}, "PartitionKey": "1"}
        put = deployed.request("PUT", f"/streams/{stream}/record", deployed.key, json=body)
        assert put.status_code == 200, put.text
        assert put.json()["SequenceNumber"]


def test_the_lake_is_versioned_encrypted_and_closed(deployed: Deployed) -> None:
    s3, bucket = boto3.client("s3", **deployed.settings.client_options("s3")), deployed.settings.bucket
    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    assert s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    assert set(s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"].values()) == {True}


def test_it_is_updated_in_place(deployed: Deployed) -> None:
    settings = deployed.settings
    parameters = {"UserId": KEEP, "RestProxyUrl": KEEP, "RequestsPerSecond": "7"}
    outputs = deployed.stacks.deploy(settings.stack_name, deployed.template, parameters)
    gateway = boto3.client("apigateway", **settings.client_options("apigateway"))
    assert gateway.get_api_key(apiKey=outputs["ApiKeyId"], includeValue=True)["value"] == deployed.key
    plans = {plan["name"]: plan for plan in gateway.get_usage_plans()["items"]}
    assert plans[settings.stack_name]["throttle"]["rateLimit"] == 7


def test_deleting_it_leaves_the_running_stack_alone(deployed: Deployed, stack: Stack) -> None:
    deployed.stacks.delete(deployed.settings.stack_name)
    assert deployed.stacks.outputs(deployed.settings.stack_name) is None
    kinesis = boto3.client("kinesis", **stack.settings.client_options("kinesis"))
    standing = set(kinesis.list_streams()["StreamNames"])
    assert standing.isdisjoint(deployed.settings.stream(frame) for frame in FRAMES)
    assert standing.issuperset(stack.settings.stream(frame) for frame in FRAMES)
    assert deployed.request("GET", "/topics", deployed.key).status_code in (403, 404)
    assert requests.get(f"{stack.settings.api_url}/topics", timeout=30).status_code == 200
