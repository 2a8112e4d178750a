"""What a person sees who has only `settings/aws.env`, or not even that."""

from pathlib import Path

import pytest

from cloud import __main__ as cloud
from cloud import mwaa

FILLED = """
USER_ID=abc
KAFKA_SECURITY=IAM
VPC_ID=vpc-0a1b
SUBNET_IDS=subnet-0a,subnet-0b,subnet-0c
DATABRICKS_URL=https://dbc-1.cloud.databricks.com
DATABRICKS_TOKEN=token
DATABRICKS_CLUSTER_ID=0923-1
BATCH_JOB_FILE=/Workspace/batch.py
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where aws.env is looked for, and the bundle put; nothing of this machine gets in."""
    monkeypatch.setattr("settings._HERE", tmp_path)
    monkeypatch.setattr(mwaa, "FOLDER", tmp_path / "mwaa")
    for name in ("USER_ID", "PIPELINE_ENV"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr("sys.argv", ["cloud", *arguments])
    return cloud.main()


@pytest.mark.parametrize("command", ["check", "mwaa-package", "destroy"])
def test_without_the_file_it_is_said_what_to_copy(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, command) == 1
    assert "It is a copy of aws.env.example with values of your own." in capsys.readouterr().out


def test_what_is_there_suffices_to_deploy(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "aws.env").write_text(FILLED)
    assert run(monkeypatch, "check") == 0
    told = capsys.readouterr().out
    assert "To deploy: all is there." in told
    assert "API_KEY is not set: `make deploy` prints it." in told
    assert run(monkeypatch, "mwaa-package") == 0
    assert (folder / "mwaa" / "dags" / "batch.py").is_file()


def test_what_is_not_there_is_said(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "aws.env").write_text(FILLED.replace("0923-1", ""))
    for command in ("check", "mwaa-package"):
        assert run(monkeypatch, command) == 1
        assert "DATABRICKS_CLUSTER_ID is not set: the cluster on which the tasks run." in capsys.readouterr().out
