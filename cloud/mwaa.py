"""`make mwaa-package`: the DAG, its packages and its settings, laid out as MWAA wants them in its bucket.

dags/batch.py         the laptop's own DAG
dags/constraints.txt  where MWAA finds it as /usr/local/airflow/dags/constraints.txt
plugins.zip           the package `settings`, which MWAA puts on Python's path, with the few values that the DAG reads
requirements.txt      what is installed beside Airflow
startup.sh            says that this is the cloud
"""

import shutil
from pathlib import Path

from cloud.artifacts import zipped
from cloud.errors import SettingsFaultsError
from settings import Settings

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "build" / "mwaa"

READ_BY_THE_DAG = ("user_id", "databricks_cluster_id", "batch_job_file")
"""No secret is among them: Airflow's connection to Databricks is kept in Secrets Manager."""

NO_PLUGINS = b"settings/\n"
"""Airflow would try each module in this folder as a plugin. There is none: what lies there is for the DAG to import."""


def faults(settings: Settings) -> list[str]:
    """What the DAG would miss. Each fault is a sentence."""
    remedies = {
        "databricks_cluster_id": "the cluster on which the tasks run",
        "batch_job_file": "where the workspace has spark_jobs/batch.py, such as /Workspace/…",
    }
    return [f"{name.upper()} is not set: {what}." for name, what in remedies.items() if not getattr(settings, name)]


def package(settings: Settings, folder: Path) -> list[Path]:
    """Write the bundle of these settings into the folder, in place of what stood there, and give its files' paths in it.

    Raises `SettingsFaultsError`.
    """
    if lacking := faults(settings):
        raise SettingsFaultsError(lacking)
    ours = ROOT / "cloud" / "airflow"
    files = {
        "dags/batch.py": (ROOT / "airflow" / "dags" / "batch.py").read_bytes(),
        "dags/constraints.txt": (ours / "constraints.txt").read_bytes(),
        "plugins.zip": _plugins(settings),
        "requirements.txt": (ours / "requirements.txt").read_bytes(),
        "startup.sh": (ours / "startup.sh").read_bytes(),
    }
    shutil.rmtree(folder, ignore_errors=True)
    for name, content in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    return [Path(name) for name in files]


def _plugins(settings: Settings) -> bytes:
    values = "".join(f"{name.upper()}={getattr(settings, name)}\n" for name in READ_BY_THE_DAG)
    return zipped(
        {
            ".airflowignore": NO_PLUGINS,
            # Without settings/msk.py: the DAG does not speak to Kafka.
            "settings/__init__.py": (ROOT / "settings" / "__init__.py").read_bytes(),
            "settings/aws.env": values.encode(),
        }
    )
