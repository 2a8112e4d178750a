"""The cloud's templates, checked by their vendor's own linter, and for what they promise."""

import importlib.util
import json
import re
from pathlib import Path
from typing import Any

import pytest
from cfnlint.api import lint
from openapi_spec_validator import OpenAPIV30SpecValidator
from rest_proxy.settings import Settings as ProxySettings

from cloud import templates
from cloud.documents import load_document
from cloud.stacks import LARGEST
from settings import Settings

SETTINGS = Settings(user_id="abc", sink_rotate_interval_ms=60_000)
ALL = {
    "local": load_document(templates.HERE.parent / "localstack" / "template.yaml"),
    "artifacts": templates.artifacts(),
    "stores": templates.stores(),
    "pipeline": templates.pipeline(SETTINGS),
}


@pytest.fixture(scope="module")
def pipeline() -> Any:
    return ALL["pipeline"]["Resources"]


@pytest.mark.parametrize("name", ALL)
def test_cloudformations_linter_finds_nothing(name: str) -> None:
    assert [str(match) for match in lint(json.dumps(ALL[name]))] == []


def test_the_linter_would_find_something() -> None:
    broken = json.loads(json.dumps(ALL["stores"]))
    broken["Resources"]["Database"]["Properties"]["EngineVersion"] = "5"
    broken["Resources"]["Kafka"]["Properties"].pop("BrokerNodeGroupInfo")
    assert {match.rule.id for match in lint(json.dumps(broken))} >= {"E3003", "E3691"}


@pytest.mark.parametrize("name", ["local", "pipeline"])
def test_the_api_is_openapi(name: str) -> None:
    """CloudFormation's linter does not look into the document; API Gateway refuses a bad one only when it is deployed."""
    OpenAPIV30SpecValidator(ALL[name]["Resources"]["Api"]["Properties"]["Body"]).validate()


@pytest.mark.parametrize("name", ALL)
def test_a_template_is_small_enough_to_be_sent_as_it_is(name: str) -> None:
    assert len(json.dumps(ALL[name], separators=(",", ":"))) < LARGEST


def test_the_sink_is_told_what_it_is_told_on_a_laptop_but_for_address_and_keys(pipeline: Any) -> None:
    told = pipeline["Sink"]["Properties"]["ConnectorConfiguration"]
    assert told["s3.bucket.name"] == "user-abc-bucket"
    assert told["rotate.interval.ms"] == "60000"
    assert not {"store.url", "aws.access.key.id", "aws.secret.access.key"} & set(told)


def test_the_api_reaches_the_proxy_inside_the_vpc_and_asks_everybody_for_a_key(pipeline: Any) -> None:
    paths = pipeline["Api"]["Properties"]["Body"]["paths"]
    proxied = paths["/{proxy+}"]["x-amazon-apigateway-any-method"]["x-amazon-apigateway-integration"]
    assert (proxied["type"], proxied["connectionType"]) == ("http_proxy", "VPC_LINK")
    operations = [operation for methods in paths.values() for operation in methods.values()]
    assert len(operations) == 10
    assert all(operation["security"] == [{"api-key": []}] for operation in operations)
    assert "RestProxyUrl" not in json.dumps(ALL["pipeline"])


def test_every_bucket_is_versioned_encrypted_and_closed() -> None:
    buckets = [
        resource["Properties"]
        for name in ("artifacts", "pipeline")
        for resource in ALL[name]["Resources"].values()
        if resource["Type"] == "AWS::S3::Bucket"
    ]
    assert len(buckets) == 2
    for bucket in buckets:
        assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
        assert bucket["BucketEncryption"]
        assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}


def test_nobody_may_do_everything() -> None:
    roles = [
        resource["Properties"]
        for template in ALL.values()
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::IAM::Role"
    ]
    assert len(roles) > 6
    for role in roles:
        for policy in role.get("Policies", []):
            for statement in policy["PolicyDocument"]["Statement"]:
                actions = statement["Action"]
                for action in [actions] if isinstance(actions, str) else actions:
                    assert not action.endswith(":*"), action
                    assert action != "*"
                    assert not (action.startswith("s3:") and "NotResource" in statement), "every other bucket as well"


def test_the_proxys_containers_run_what_there_is(pipeline: Any) -> None:
    """A module that can be run, and not just imported, by settings that it knows."""
    containers = pipeline["ProxyTask"]["Properties"]["ContainerDefinitions"]
    assert len(containers) == 2
    for container in containers:
        module = container["Command"][-1]
        spec = importlib.util.find_spec(module)
        assert spec
        folders = spec.submodule_search_locations
        file = Path(folders[0]) / "__main__.py" if folders else Path(str(spec.origin))
        assert re.search(r"^(main\(\)|if __name__ == )", file.read_text(), re.MULTILINE), module
        told = {variable["Name"].lower() for variable in container["Environment"]} - {"kafka_bootstrap_servers"}
        assert told <= {f"rest_proxy_{field}" for field in ProxySettings.model_fields}


def test_airflow_is_the_one_that_the_bundle_is_tested_with(pipeline: Any) -> None:
    pinned = f"apache-airflow=={pipeline['Airflow']['Properties']['AirflowVersion']}"
    requirements = (templates.HERE / "airflow" / "requirements.txt").read_text().splitlines()
    constraints = (templates.HERE / "airflow" / "constraints.txt").read_text().splitlines()
    assert pinned in requirements
    assert pinned in constraints


def test_no_door_is_open_to_the_world() -> None:
    assert "0.0.0.0/0" not in json.dumps(ALL)
    assert ALL["stores"]["Resources"]["Database"]["Properties"]["PubliclyAccessible"] is False
    authentication = ALL["stores"]["Resources"]["Kafka"]["Properties"]["ClientAuthentication"]
    assert authentication == {"Sasl": {"Iam": {"Enabled": True}}, "Unauthenticated": {"Enabled": False}}


def test_what_is_deployed_locally_is_what_the_cloud_adds_to() -> None:
    """Same resources, by name and type: the cloud's template has more, and leaves none out but the deployment's name."""
    local = {name: resource["Type"] for name, resource in ALL["local"]["Resources"].items() if name != "Deployment"}
    cloud = {name: resource["Type"] for name, resource in ALL["pipeline"]["Resources"].items()}
    assert local.items() <= cloud.items()
