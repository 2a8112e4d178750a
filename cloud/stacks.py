"""CloudFormation stacks: create or update, delete, and say why not."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import boto3
from botocore.exceptions import ClientError, WaiterError

from cloud.documents import Document
from cloud.errors import DeployError
from settings import Settings

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudformation.type_defs import WaiterConfigTypeDef

LARGEST = 51_200
"""Bytes of a template that is sent as it is; a larger one would have to lie in a bucket."""

KEEP: None = None
"""For a parameter: the value that it has."""


class Stacks:
    """The stacks of one account. `delay` is the time between two looks, in seconds, and `patience` the most that one change may take."""

    def __init__(self, settings: Settings, delay: int = 1, patience: int = 300) -> None:
        self._client: CloudFormationClient = boto3.client("cloudformation", **settings.client_options("cloudformation"))
        self._wait: WaiterConfigTypeDef = {"Delay": delay, "MaxAttempts": patience // delay}

    def outputs(self, name: str) -> dict[str, str] | None:
        """The stack's outputs; None if there is no such stack."""
        try:
            stack = self._client.describe_stacks(StackName=name)["Stacks"][0]
        except ClientError as error:
            if "does not exist" in str(error):
                return None
            raise
        return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}

    def deploy(self, name: str, template: Document, parameters: Mapping[str, str | None]) -> dict[str, str]:
        """Create the stack or bring it up to date, wait for it, and give its outputs. Raises `DeployError`."""
        body = json.dumps(template, separators=(",", ":"))
        if len(body) > LARGEST:
            raise DeployError(f"The template of {name} has {len(body)} bytes, and CloudFormation takes {LARGEST}.")
        request: dict[str, Any] = {
            "StackName": name,
            "TemplateBody": body,
            "Parameters": [
                {"ParameterKey": key, **({"UsePreviousValue": True} if value is KEEP else {"ParameterValue": value})}
                for key, value in parameters.items()
            ],
            "Capabilities": ["CAPABILITY_IAM"],
        }
        update = self.outputs(name) is not None
        try:
            if update:
                self._client.update_stack(**request)
                self._client.get_waiter("stack_update_complete").wait(StackName=name, WaiterConfig=self._wait)
            else:
                self._client.create_stack(**request)
                self._client.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig=self._wait)
        except WaiterError as error:
            raise DeployError(f"The stack {name} was not deployed. {self._failures(name)}") from error
        except ClientError as error:
            if "No updates are to be performed" not in str(error):
                raise DeployError(f"CloudFormation refused the template of {name}: {error}") from error
        return self.outputs(name) or {}

    def delete(self, name: str) -> None:
        """Delete the stack, if there is one, and wait until it is gone. Raises `DeployError`."""
        try:
            self._client.delete_stack(StackName=name)
            self._client.get_waiter("stack_delete_complete").wait(StackName=name, WaiterConfig=self._wait)
        except WaiterError as error:
            raise DeployError(f"The stack {name} was not deleted. {self._failures(name)}") from error
        except ClientError as error:
            raise DeployError(f"CloudFormation refused to delete {name}: {error}") from error

    def _failures(self, name: str) -> str:
        events = self._client.describe_stack_events(StackName=name)["StackEvents"]
        return "; ".join(
            f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason', 'no reason given')}"
            for event in events
            if event["ResourceStatus"].endswith("FAILED")
        )
