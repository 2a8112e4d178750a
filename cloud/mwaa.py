"""`make mwaa-package`: the DAG, its packages and its settings, laid out as MWAA wants them in its bucket.

dags/batch.py         the laptop's own DAG
dags/constraints.txt  where MWAA finds it as /usr/local/airflow/dags/constraints.txt
plugins.zip           the package `settings`, which MWAA puts on Python's path, with the few values that the DAG reads
requirements.txt      what is installed beside Airflow
startup.sh            says that this is the cloud
"""

from pathlib import Path

from cloud.artifacts import zipped
from settings import Settings

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "build" / "mwaa"

READ_BY_THE_DAG = ("user_id", "databricks_cluster_id", "batch_job_file")
"""No secret is among them: Airflow's connection to Databricks is kept in Secrets Manager."""


def package(settings: Settings, folder: Path) -> list[Path]:
    """Write the bundle of these settings into the folder, and give its files' paths in it."""
    ours = ROOT / "cloud" / "airflow"
    files = {
        "dags/batch.py": (ROOT / "airflow" / "dags" / "batch.py").read_bytes(),
        "dags/constraints.txt": (ours / "constraints.txt").read_bytes(),
        "plugins.zip": _plugins(settings),
        "requirements.txt": (ours / "requirements.txt").read_bytes(),
        "startup.sh": (ours / "startup.sh").read_bytes(),
    }
    for name, content in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    return [Path(name) for name in files]


def _plugins(settings: Settings) -> bytes:
    values = "".join(f"{name.upper()}={getattr(settings, name)}\n" for name in READ_BY_THE_DAG)
    code = {f"settings/{file.name}": file.read_bytes() for file in (ROOT / "settings").glob("*.py")}
    return zipped(code | {"settings/aws.env": values.encode()})
