"""What this package itself takes from the environment; the pipeline's settings stand in `settings/`."""

import os

from settings import Settings

SECRETS = ("DATABRICKS_TOKEN",)

SCOPE = "pinterest"
"""The one scope of secrets that notebooks find: the settings' own keys of AWS, where they hold any."""


def task_environment() -> dict[str, str]:
    """What a task's process inherits: all but the secrets of the API, which it could otherwise call as its owner."""
    return {name: value for name, value in os.environ.items() if name not in SECRETS}


def secrets(settings: Settings) -> dict[str, dict[str, str]]:
    """Each scope's secrets, for `dbutils.secrets`."""
    return {SCOPE: {name.replace("_", "-"): value for name, value in settings.aws_credentials.items()}}
