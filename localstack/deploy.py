"""Deploys the cloud resources, to LocalStack or to AWS: `python localstack/deploy.py`.

Creates the CloudFormation stack or brings it up to date, waits, and prints its outputs. Settings say where to.
"""

import json
import sys
from pathlib import Path
from typing import Any

import boto3
import yaml
from botocore.exceptions import ClientError, WaiterError

from settings import FRAMES, Settings, SettingsError

HERE = Path(__file__).parent


class DeployError(Exception):
    """The cloud refused the stack. The message names each resource and the reason it was given."""


class _Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short forms (`!Sub`), and `!Include FILE` for the OpenAPI document."""


def _intrinsic(loader: yaml.SafeLoader, tag: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.ScalarNode):
        text = loader.construct_scalar(node)
        if tag == "Include":
            return load_document(HERE / str(text))
        value: Any = str(text).split(".", 1) if tag == "GetAtt" else text
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        raise DeployError(f"!{tag} on line {node.start_mark.line + 1} takes a word or a list.")
    return {tag if tag in ("Ref", "Condition") else f"Fn::{tag}": value}


_Loader.add_multi_constructor("!", _intrinsic)


def load_document(file: Path) -> dict[str, Any]:
    """A YAML file with every short form spelled out and every anchor resolved: CloudFormation reads no anchors."""
    document: dict[str, Any] = yaml.load(file.read_text(), Loader=_Loader)  # a SafeLoader
    document.pop("x-parts", None)
    return document


def _existing_status(cloudformation: Any, name: str) -> str | None:
    try:
        return str(cloudformation.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"])
    except ClientError as error:
        if "does not exist" in str(error):
            return None
        raise


def _parameters(settings: Settings, kinesis: Any, update: bool) -> list[dict[str, Any]]:
    if update:
        streams: dict[str, Any] = {"UsePreviousValue": True}
    else:
        standing = set(kinesis.list_streams()["StreamNames"])
        streams = {"ParameterValue": str(not standing.issuperset(map(settings.stream, FRAMES))).lower()}
    return [
        {"ParameterKey": "UserId", "ParameterValue": settings.user_id},
        {"ParameterKey": "RestProxyUrl", "ParameterValue": settings.rest_proxy_url},
        {"ParameterKey": "CreateStreams", **streams},
    ]


def deploy(settings: Settings) -> dict[str, str]:
    """Create or update the stack `pinterest-<user_id>` and return its outputs. Raises `DeployError`."""
    cloudformation = boto3.client("cloudformation", **settings.client_options("cloudformation"))
    kinesis = boto3.client("kinesis", **settings.client_options("kinesis"))
    name = f"pinterest-{settings.user_id}"
    update = _existing_status(cloudformation, name) is not None
    request: dict[str, Any] = {
        "StackName": name,
        "TemplateBody": json.dumps(load_document(HERE / "template.yaml")),
        "Parameters": _parameters(settings, kinesis, update),
        "Capabilities": ["CAPABILITY_IAM"],
    }
    try:
        if update:
            cloudformation.update_stack(**request)
        else:
            cloudformation.create_stack(**request)
        waiter = cloudformation.get_waiter("stack_update_complete" if update else "stack_create_complete")
        waiter.wait(StackName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 300})
    except WaiterError as error:
        raise DeployError(_failures(cloudformation, name)) from error
    except ClientError as error:
        if "No updates are to be performed" not in str(error):
            raise DeployError(f"CloudFormation refused the template: {error}") from error
    stack = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}


def _failures(cloudformation: Any, name: str) -> str:
    events = cloudformation.describe_stack_events(StackName=name)["StackEvents"]
    reasons = [
        f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason', 'no reason given')}"
        for event in events
        if event["ResourceStatus"].endswith("FAILED")
    ]
    return f"The stack {name} was not deployed. " + "; ".join(reasons)


if __name__ == "__main__":
    try:
        for key, value in deploy(Settings.load()).items():
            print(f"{key}: {value}")
    except (DeployError, SettingsError) as error:
        sys.exit(str(error))
