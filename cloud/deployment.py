"""`make deploy` and `make destroy` on AWS: three stacks, one after the other, and what is uploaded between them."""

import json

import boto3
from rich.console import Console
from rich.prompt import Confirm

from cloud import artifacts, check, mwaa, templates
from cloud.errors import SettingsFaultsError
from cloud.stacks import Stacks
from settings import Settings
from stack import images

LOOK_S, PATIENCE_S = 15, 5400
"""Of one stack: MSK and MWAA take up to an hour each."""


def deploy(settings: Settings, console: Console) -> None:
    """Make or update everything, and print what `settings/aws.env` needs to use it. Raises `CloudError`."""
    if faults := check.to_deploy(settings):
        raise SettingsFaultsError(faults)
    stacks, name = Stacks(settings, LOOK_S, PATIENCE_S), settings.stack_name
    images.build()
    console.print(f"{name}-artifacts …")
    place = stacks.deploy(f"{name}-artifacts", templates.artifacts(), {"UserId": settings.user_id})
    bucket = place["Bucket"]
    uploaded = _upload(settings, bucket)
    image = artifacts.push_rest_proxy(settings, place["RestProxyRepository"])
    where = {"UserId": settings.user_id, "VpcId": settings.vpc_id, "Subnets": settings.subnet_ids}
    console.print(f"{name}-stores: MySQL and Kafka, half an hour the first time …")
    stores = stacks.deploy(f"{name}-stores", templates.stores(), where)
    kafka = boto3.client("kafka", **settings.client_options("kafka"))
    brokers = kafka.get_bootstrap_brokers(ClusterArn=stores["KafkaArn"])["BootstrapBrokerStringSaslIam"]
    console.print(f"{name}: what runs between them, another half an hour the first time …")
    outputs = stacks.deploy(
        name,
        templates.pipeline(settings),
        where
        | uploaded
        | {
            "ClientsGroup": stores["ClientsGroup"],
            "KafkaArn": stores["KafkaArn"],
            "KafkaBootstrapServers": brokers,
            "DatabaseSecret": stores["DatabaseSecret"],
            "RestProxyImage": image,
            "ArtifactsBucket": bucket,
            "DatabricksConnection": connection(settings),
        },
    )
    gateway = boto3.client("apigateway", **settings.client_options("apigateway"))
    key = gateway.get_api_key(apiKey=outputs["ApiKeyId"], includeValue=True)["value"]
    console.print("\nFor settings/aws.env:\n", style="bold")
    for line in (
        f"MYSQL_HOST={stores['DatabaseHost']}",
        f"API_URL={outputs['ApiUrl']}",
        f"API_KEY={key}",
        f"KAFKA_BOOTSTRAP_SERVERS={brokers}",
        f"MWAA_ENVIRONMENT={outputs['AirflowName']}",
    ):
        console.print(line, highlight=False, soft_wrap=True)
    console.print(
        f"\nThe cluster's instance profile: {outputs['ClusterProfileArn']}\n"
        f"A shell inside the VPC: aws ssm start-session --target {outputs['Workbench']}\n"
        f"MySQL's owner: aws secretsmanager get-secret-value --secret-id {stores['DatabaseSecret']}",
        highlight=False,
        soft_wrap=True,
    )


def connection(settings: Settings) -> str:
    """Airflow's connection `databricks`, as JSON."""
    token = settings.databricks_token.get_secret_value()
    return json.dumps({"conn_type": "databricks", "host": settings.databricks_url, "password": token})


def _upload(settings: Settings, bucket: str) -> dict[str, str]:
    """The plugin's and the MWAA bundle's versions, as parameters of the pipeline's template."""
    plugin = artifacts.plugin()
    version = artifacts.version(plugin)
    artifacts.upload(settings, bucket, f"s3-sink/{version}.zip", plugin)
    versions = {
        file: artifacts.upload(settings, bucket, f"mwaa/{file}", (mwaa.FOLDER / file).read_bytes())
        for file in map(str, mwaa.package(settings, mwaa.FOLDER))
    }
    return {
        "PluginVersion": version,
        "PluginsVersion": versions["plugins.zip"],
        "RequirementsVersion": versions["requirements.txt"],
        "StartupVersion": versions["startup.sh"],
    }


def destroy(settings: Settings, console: Console, sure: bool) -> None:
    """Delete all three stacks with their data, after a question. Raises `DeployError`."""
    stacks, name = Stacks(settings, LOOK_S, PATIENCE_S), settings.stack_name
    question = f"This deletes {name} and its -stores and -artifacts in {settings.aws_region}: every post, topic, stream and table. Really?"
    if not sure and not Confirm.ask(question, console=console, default=False):
        console.print("Nothing was deleted.")
        return
    console.print(f"{name} …")
    stacks.delete(name)
    # Only now: a sink that still ran would fill an emptied lake again.
    s3 = boto3.resource("s3", **settings.client_options("s3"))
    lake = s3.Bucket(settings.bucket)
    if lake.creation_date:
        lake.object_versions.delete()
        lake.delete()
    console.print(f"{name}-stores …")
    stacks.delete(f"{name}-stores")
    console.print(f"{name}-artifacts …")
    if place := stacks.outputs(f"{name}-artifacts"):
        s3.Bucket(place["Bucket"]).object_versions.delete()
        stacks.delete(f"{name}-artifacts")
    console.print("Deleted.")
