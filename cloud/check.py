"""`make check-cloud`: what a person's settings lack or contradict, before anything is asked of AWS."""

import re
from collections import Counter
from pathlib import Path

from cloud import mwaa, templates
from settings import Settings

SUBNETS = 3
NAMES_LIMIT = 20
"""Characters of a user's id: with what is put before and behind it, every name stays within the shortest limit that AWS sets (RDS', 63)."""


def to_deploy(settings: Settings) -> list[str]:
    """What keeps the stacks from being made. Each fault is a sentence."""
    faults = [
        f"{name} is {value}: in the cloud it stays empty, so that AWS' own address is used."
        for name, value in {
            "AWS_ENDPOINT_URL": settings.aws_endpoint_url,
            "AWS_ENDPOINT_URL_S3": settings.aws_endpoint_url_s3,
        }.items()
        if value
    ]
    if bool(settings.aws_access_key_id) != bool(settings.aws_secret_access_key):
        faults.append(
            "One of AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY is set and the other is not. Set both, or better none."
        )
    if len(settings.user_id) > NAMES_LIMIT:
        faults.append(f"USER_ID has {len(settings.user_id)} characters, where {NAMES_LIMIT} fit into AWS' names.")
    if settings.user_id != settings.user_id.lower():
        faults.append(
            f"USER_ID is {settings.user_id}, where the names of buckets and image registries take lower-case letters alone."
        )
    if not re.fullmatch(r"vpc-[0-9a-f]+", settings.vpc_id):
        faults.append(f"VPC_ID is {settings.vpc_id!r}, where the id of a VPC is expected: vpc-….")
    subnets = settings.subnet_ids.split(",")
    if len(set(subnets)) != SUBNETS or not all(re.fullmatch(r"subnet-[0-9a-f]+", subnet) for subnet in subnets):
        faults.append(
            f"SUBNET_IDS is {settings.subnet_ids!r}, where {SUBNETS} private subnets are expected, each in a zone of its own: subnet-…,subnet-…,subnet-…."
        )
    if settings.kafka_security != "IAM":
        faults.append(f"KAFKA_SECURITY is {settings.kafka_security}, where MSK as it is made here knows IAM alone.")
    return faults + _databricks(settings) + mwaa.faults(settings)


def _databricks(settings: Settings) -> list[str]:
    faults = []
    if not re.fullmatch(r"https://[^/]+/?", settings.databricks_url):
        faults.append(
            f"DATABRICKS_URL is {settings.databricks_url!r}, where a workspace is expected: https://….cloud.databricks.com."
        )
    if not settings.databricks_token.get_secret_value():
        faults.append("DATABRICKS_TOKEN is not set: Airflow submits its runs with it.")
    return faults


def to_run(settings: Settings) -> list[str]:
    """What is still missing for `emulate`, `batch` and `audit`. `make deploy` prints most of it."""
    faults = [
        f"{name} is not set: `make deploy` prints it."
        for name, value in {
            "MYSQL_HOST": settings.mysql_host,
            "API_URL": settings.api_url,
            "API_KEY": settings.api_key.get_secret_value(),
            "KAFKA_BOOTSTRAP_SERVERS": settings.kafka_bootstrap_servers,
            "MWAA_ENVIRONMENT": settings.mwaa_environment,
        }.items()
        if not value
    ]
    if settings.api_url and not settings.api_url.startswith("https://"):
        faults.append(f"API_URL is {settings.api_url}, where the gateway answers https alone.")
    faults += [
        f"{name} is {value}, and AWS_REGION is {settings.aws_region}: both have to be the region that was deployed to."
        for name, value in {
            "MYSQL_HOST": settings.mysql_host,
            "API_URL": settings.api_url,
            "KAFKA_BOOTSTRAP_SERVERS": settings.kafka_bootstrap_servers,
        }.items()
        if ".amazonaws.com" in value and f".{settings.aws_region}." not in value
    ]
    if settings.mwaa_environment and settings.airflow_url:
        faults.append(
            "MWAA_ENVIRONMENT and AIRFLOW_URL are both set. MWAA says its address itself: leave the latter empty."
        )
    if settings.connect_url:
        faults.append(f"CONNECT_URL is {settings.connect_url}, and MSK Connect has none: leave it empty.")
    if not settings.mysql_password.get_secret_value():
        faults.append("MYSQL_PASSWORD is not set: the one that the seed gave the emulator's user.")
    if not Path(settings.mysql_tls_ca).is_file():
        faults.append(
            f"MYSQL_TLS_CA is {settings.mysql_tls_ca!r}, which is no file here. RDS takes encrypted connections alone; its authorities are at "
            "https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem."
        )
    return faults


def would_create(settings: Settings) -> dict[str, dict[str, int]]:
    """Of each stack, how many resources of each type."""
    return {
        name: dict(sorted(Counter(resource["Type"] for resource in template["Resources"].values()).items()))
        for name, template in (
            (f"{settings.stack_name}-artifacts", templates.artifacts()),
            (f"{settings.stack_name}-stores", templates.stores()),
            (settings.stack_name, templates.pipeline(settings)),
        )
    }
