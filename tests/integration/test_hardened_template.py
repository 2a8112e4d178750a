"""The part of the cloud's templates that LocalStack has: really deployed, used with its key and without, updated and destroyed."""

import io
from collections.abc import Iterator
from dataclasses import dataclass

import boto3
import pytest
import requests
from rich.console import Console

from cloud import artifacts, deployment, templates
from cloud.documents import Document, load_document, with_deployment_of_its_own
from cloud.stacks import KEEP, Stacks
from settings import FRAMES, Settings
from tests.integration.conftest import Stack


@dataclass(frozen=True)
class Deployed:
    """The stacks of a user of its own beside the running one: what runs, and what is uploaded. LocalStack has no image registry."""

    settings: Settings
    stacks: Stacks
    template: Document
    key: str
    artifacts: str

    def request(self, method: str, path: str, key: str | None, **options: object) -> requests.Response:
        url = f"{self.settings.aws_endpoint_url}/_aws/execute-api/hardened/prod{path}"
        headers = {"x-api-key": key} if key else {}
        return requests.request(method, url, headers=headers, timeout=60, **options)  # type: ignore[arg-type]


def artifacts_without_the_registry() -> Document:
    whole = templates.artifacts()
    return {
        "Resources": {"Artifacts": whole["Resources"]["Artifacts"]},
        "Outputs": {"Bucket": whole["Outputs"]["Bucket"]},
    }


def destroy(settings: Settings, sure: bool) -> str:
    """What `make destroy` says."""
    console = Console(file=io.StringIO(), width=200)
    deployment.destroy(settings, console, sure)
    return console.file.getvalue()


@pytest.fixture(scope="module")
def deployed(stack: Stack) -> Iterator[Deployed]:
    settings = stack.settings.model_copy(update={"user_id": "hardened"})
    stacks = Stacks(settings)
    template = with_deployment_of_its_own(load_document(templates.HERE / "hardened.yaml"))
    template["Resources"]["Api"]["Properties"]["Tags"] = [{"Key": "_custom_id_", "Value": "hardened"}]
    bucket = stacks.deploy(f"{settings.stack_name}-artifacts", artifacts_without_the_registry(), {})["Bucket"]
    proxy = Settings.load("container").rest_proxy_url
    outputs = stacks.deploy(settings.stack_name, template, {"UserId": settings.user_id, "RestProxyUrl": proxy})
    gateway = boto3.client("apigateway", **settings.client_options("apigateway"))
    key = gateway.get_api_key(apiKey=outputs["ApiKeyId"], includeValue=True)["value"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(deployment, "LOOK_S", 1)
        yield Deployed(settings, stacks, template, key, bucket)
        destroy(settings, sure=True)


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


def test_what_is_uploaded_is_a_new_version_only_where_it_differs(deployed: Deployed) -> None:
    """So that a deployment that changes nothing replaces nothing."""

    def upload(content: bytes) -> str:
        return artifacts.upload(deployed.settings, deployed.artifacts, "mwaa/startup.sh", content)

    first = upload(b"one")
    assert upload(b"one") == first
    assert upload(b"another") != first
    assert upload(b"one") != first, "which is no longer the newest"


def test_nothing_is_destroyed_without_a_yes(deployed: Deployed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rich.prompt.Confirm.ask", lambda *_, **__: False)
    assert "Nothing was deleted." in destroy(deployed.settings, sure=False)
    assert deployed.stacks.outputs(deployed.settings.stack_name)


def test_destroying_it_leaves_nothing_behind_and_the_running_stack_alone(deployed: Deployed, stack: Stack) -> None:
    settings = deployed.settings
    boto3.client("s3", **settings.client_options("s3")).put_object(Bucket=settings.bucket, Key="topics/one", Body=b"{}")
    assert "Deleted." in destroy(settings, sure=True)
    assert deployed.stacks.outputs(settings.stack_name) is None
    assert deployed.stacks.outputs(f"{settings.stack_name}-artifacts") is None
    s3 = boto3.client("s3", **settings.client_options("s3"))
    buckets = {bucket["Name"] for bucket in s3.list_buckets()["Buckets"]}
    assert buckets.isdisjoint({settings.bucket, deployed.artifacts})
    kinesis = boto3.client("kinesis", **stack.settings.client_options("kinesis"))
    standing = set(kinesis.list_streams()["StreamNames"])
    assert standing.isdisjoint(settings.stream(frame) for frame in FRAMES)
    assert standing.issuperset(stack.settings.stream(frame) for frame in FRAMES)
    assert deployed.request("GET", "/topics", deployed.key).status_code in (403, 404)
    assert requests.get(f"{stack.settings.api_url}/topics", timeout=30).status_code == 200
