"""Deploys the local stack's cloud resources to LocalStack: `python localstack/deploy.py`, inside its container.

Creates the CloudFormation stack or brings it up to date, waits, and prints its outputs.
"""

import sys
from pathlib import Path

import boto3

from cloud.documents import load_document, with_deployment_of_its_own
from cloud.errors import CloudError
from cloud.stacks import KEEP, Stacks
from settings import FRAMES, Settings, SettingsError

TEMPLATE = Path(__file__).parent / "template.yaml"


def deploy(settings: Settings) -> dict[str, str]:
    """Create or update the stack `pinterest-<user_id>` and give its outputs. Raises `CloudError`."""
    stacks, name = Stacks(settings), settings.stack_name
    create_streams: str | None = KEEP
    if stacks.outputs(name) is None:
        # LocalStack forgets stacks, and keeps streams.
        kinesis = boto3.client("kinesis", **settings.client_options("kinesis"))
        standing = set(kinesis.list_streams()["StreamNames"])
        create_streams = str(not standing.issuperset(map(settings.stream, FRAMES))).lower()
    parameters = {
        "UserId": settings.user_id,
        "RestProxyUrl": settings.rest_proxy_url,
        "CreateStreams": create_streams,
    }
    return stacks.deploy(name, with_deployment_of_its_own(load_document(TEMPLATE)), parameters)


if __name__ == "__main__":
    try:
        for key, value in deploy(Settings.load()).items():
            print(f"{key}: {value}")
    except (CloudError, SettingsError) as error:
        sys.exit(str(error))
