"""The template and its OpenAPI document: what contract §3 asks for is there, in a form that CloudFormation reads."""

import json
from pathlib import Path
from typing import Any

import pytest

from cloud.documents import load_document

LOCALSTACK = Path(__file__).parent.parent.parent.parent / "localstack"


@pytest.fixture(scope="module")
def template() -> Any:
    return json.loads(json.dumps(load_document(LOCALSTACK / "template.yaml")))


def operations(template: Any) -> dict[tuple[str, str], Any]:
    paths = template["Resources"]["Api"]["Properties"]["Body"]["paths"]
    return {(path, method): operation for path, methods in paths.items() for method, operation in methods.items()}


def test_the_routes_are_the_contracts(template: Any) -> None:
    assert set(operations(template)) == {
        ("/{proxy+}", "x-amazon-apigateway-any-method"),
        ("/streams", "get"),
        ("/streams/{stream-name}", "get"),
        ("/streams/{stream-name}", "post"),
        ("/streams/{stream-name}", "delete"),
        ("/streams/{stream-name}/record", "put"),
        ("/streams/{stream-name}/records", "put"),
        ("/streams/{stream-name}/records", "post"),
        ("/streams/{stream-name}/records", "get"),
        ("/streams/{stream-name}/sharditerator", "get"),
    }


def test_every_kinesis_route_calls_kinesis_as_the_gateways_role(template: Any) -> None:
    for (path, method), operation in operations(template).items():
        integration = operation["x-amazon-apigateway-integration"]
        if path == "/{proxy+}":
            assert integration["uri"] == {"Fn::Sub": "${RestProxyUrl}/{proxy}"}
            continue
        assert integration["credentials"] == {"Fn::GetAtt": ["GatewayRole", "Arn"]}, (path, method)
        assert ":kinesis:action/" in integration["uri"]["Fn::Sub"], (path, method)


def test_nothing_is_left_that_cloudformation_does_not_read(template: Any) -> None:
    text = json.dumps(template)
    assert "x-parts" not in text
    assert "Include" not in text
    assert "<<" not in text


def test_streams_and_bucket_outlive_the_stack(template: Any) -> None:
    kept = [r for r in template["Resources"].values() if r["Type"] in ("AWS::Kinesis::Stream", "AWS::S3::Bucket")]
    assert len(kept) == 4
    assert all(resource["DeletionPolicy"] == "Retain" for resource in kept)


def test_a_body_is_validated_before_kinesis_is_sent_a_record(template: Any) -> None:
    body = template["Resources"]["Api"]["Properties"]["Body"]
    assert body["x-amazon-apigateway-request-validators"]["body"]["validateRequestBody"] is True
    models = {"/streams/{stream-name}/record": "Record", "/streams/{stream-name}/records": "Records"}
    for (path, method), operation in operations(template).items():
        if path in models and method in ("put", "post"):
            assert operation["x-amazon-apigateway-request-validator"] == "body", (path, method)
            schema = operation["requestBody"]["content"]["application/json"]["schema"]
            assert schema == {"$ref": f"#/components/schemas/{models[path]}"}
    assert set(models.values()) == set(body["components"]["schemas"])
