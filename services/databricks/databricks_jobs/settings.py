"""What this package itself takes from the environment; the pipeline's settings stand in `settings/`."""

import os

SECRETS = ("DATABRICKS_TOKEN",)


def task_environment() -> dict[str, str]:
    """What a task's process inherits: all but the secrets of the API, which it could otherwise call as its owner."""
    return {name: value for name, value in os.environ.items() if name not in SECRETS}
