"""What the MWAA bundle holds. That Airflow reads its DAG is tested where it will: tests/unit/mwaa."""

import io
import zipfile
from pathlib import Path

import pytest
from pydantic import SecretStr

from cloud import mwaa
from cloud.errors import SettingsFaultsError
from settings import Settings

SETTINGS = Settings(
    user_id="abc",
    databricks_cluster_id="0923-1",
    batch_job_file="/Workspace/batch.py",
    databricks_token=SecretStr("hush"),
    api_key=SecretStr("hush"),
    mysql_password=SecretStr("hush"),
)


def test_the_bundle_is_complete_and_laid_out_as_mwaa_wants_it(tmp_path: Path) -> None:
    made = mwaa.package(SETTINGS, tmp_path)
    assert {str(file) for file in made} == {
        "dags/batch.py",
        "dags/constraints.txt",
        "plugins.zip",
        "requirements.txt",
        "startup.sh",
    }
    assert all((tmp_path / file).stat().st_size for file in made)
    with zipfile.ZipFile(tmp_path / "plugins.zip") as plugins:
        assert set(plugins.namelist()) == {".airflowignore", "settings/__init__.py", "settings/aws.env"}
        assert plugins.read("settings/aws.env").decode().splitlines() == [
            "USER_ID=abc",
            "DATABRICKS_CLUSTER_ID=0923-1",
            "BATCH_JOB_FILE=/Workspace/batch.py",
        ]


def test_what_an_earlier_one_left_is_gone(tmp_path: Path) -> None:
    left = tmp_path / "dags" / "old.py"
    left.parent.mkdir()
    left.touch()
    mwaa.package(SETTINGS, tmp_path)
    assert not left.exists()


def test_what_the_dag_would_miss_is_said(tmp_path: Path) -> None:
    with pytest.raises(SettingsFaultsError, match="BATCH_JOB_FILE is not set"):
        mwaa.package(SETTINGS.model_copy(update={"batch_job_file": ""}), tmp_path / "bundle")
    assert not (tmp_path / "bundle").exists()


def test_no_secret_is_in_it(tmp_path: Path) -> None:
    for file in mwaa.package(SETTINGS, tmp_path):
        content = (tmp_path / file).read_bytes()
        if file.suffix == ".zip":
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                content = b"".join(archive.read(name) for name in archive.namelist())
        assert b"hush" not in content, file


def test_the_same_settings_make_the_same_bytes(tmp_path: Path) -> None:
    """So that a deployment that changes nothing replaces nothing."""
    one, other = tmp_path / "one", tmp_path / "other"
    for file in mwaa.package(SETTINGS, one):
        mwaa.package(SETTINGS, other)
        assert (one / file).read_bytes() == (other / file).read_bytes()
