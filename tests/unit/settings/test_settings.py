"""Settings: files, their order, and what a wrong one says."""

import ast
from pathlib import Path

import pytest

from settings import Settings, SettingsError

ROOT = Path(__file__).parent.parent.parent.parent


@pytest.fixture
def env(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / ".env"
    file.write_text(
        "USER_ID=abc\nLOCALSTACK_PORT=14566\nKAFKA_PORT=1\nCONNECT_PORT=2\nREST_PROXY_PORT=3\nAIRFLOW_PORT=4\n"
    )
    monkeypatch.setenv("PIPELINE_ENV_FILE", str(file))
    monkeypatch.delenv("PIPELINE_ENV", raising=False)
    return file


@pytest.mark.usefixtures("env")
def test_the_settings_file_refers_to_the_ports_of_dotenv() -> None:
    settings = Settings.load()
    assert settings.aws_endpoint_url == "http://127.0.0.1:14566"
    assert settings.api_url == "http://127.0.0.1:14566/_aws/execute-api/pinterest/prod"


@pytest.mark.usefixtures("env")
def test_names_are_the_contracts() -> None:
    settings = Settings.load()
    assert settings.topic("pin") == "abc.pin"
    assert settings.stream("user") == "streaming-abc-user"
    assert settings.bucket == "user-abc-bucket"
    assert settings.dag_id == "abc_dag"


@pytest.mark.usefixtures("env")
def test_a_file_wins_over_what_the_shell_exports(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "https://elsewhere")
    assert Settings.load().aws_region == "us-east-1"
    assert Settings.load().aws_endpoint_url == "http://127.0.0.1:14566"


@pytest.mark.usefixtures("env")
def test_containers_see_each_other_by_name() -> None:
    assert Settings.load("container").kafka_bootstrap_servers == "kafka:9092"
    assert Settings.load("container").user_id == "abc"


def test_a_missing_user_is_named(env: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    env.write_text("")
    monkeypatch.delenv("USER_ID", raising=False)
    with pytest.raises(SettingsError, match="USER_ID"):
        Settings.load()


def test_a_user_that_cannot_be_a_topic_is_refused(env: Path) -> None:
    env.write_text("USER_ID=no spaces\n")
    with pytest.raises(SettingsError, match="USER_ID"):
        Settings.load()


@pytest.mark.usefixtures("env")
def test_quarantine_has_a_limit_that_dotenv_or_the_process_may_change(
    env: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QUARANTINE_MIN_RECORDS", "")  # what Compose passes of a line without a value
    assert (Settings.load().quarantine_max_share, Settings.load().quarantine_min_records) == (0.2, 100)
    monkeypatch.setenv("QUARANTINE_MIN_RECORDS", "7")
    env.write_text(env.read_text() + "QUARANTINE_MAX_SHARE=0.5\n")
    assert (Settings.load().quarantine_max_share, Settings.load().quarantine_min_records) == (0.5, 7)


@pytest.mark.parametrize(
    "line",
    ["QUARANTINE_MAX_SHARE=20", "QUARANTINE_MAX_SHARE=-0.1", "QUARANTINE_MAX_SHARE=nan", "QUARANTINE_MIN_RECORDS=0"],
)
def test_an_impossible_limit_is_refused_by_name(env: Path, line: str) -> None:
    env.write_text(f"USER_ID=abc\n{line}\n")
    with pytest.raises(SettingsError, match=line.split("=")[0]):
        Settings.load()


@pytest.mark.parametrize("environment", ["local", "container"])
@pytest.mark.usefixtures("env")
def test_databricks_is_told_of_its_own_cluster_and_file(environment: str) -> None:
    settings = Settings.load(environment)
    assert (settings.databricks_cluster_id, settings.batch_job_file) == ("local", "/opt/pipeline/spark_jobs/batch.py")


@pytest.mark.usefixtures("env")
def test_secrets_do_not_show(env: Path) -> None:
    env.write_text(env.read_text() + "MYSQL_PASSWORD=hunter2\n")
    assert "hunter2" not in repr(Settings.load())


def test_nothing_but_settings_reads_the_environment() -> None:
    """The services with an image of their own have a settings.py each; tests and the installer set variables for children."""
    allowed = {"settings/__init__.py", "stack/bootstrap.py", "stack/engine.py", "stack/checks.py"}
    readers = set()
    files = [
        file
        for part in ("settings", "stack", "emulator", "spark_jobs", "airflow", "localstack", "services")
        for file in (ROOT / part).rglob("*.py")
    ]
    assert len(files) > 20
    for file in files:
        for node in ast.walk(ast.parse(file.read_text())):
            if (
                isinstance(node, ast.Attribute)
                and node.attr in ("environ", "getenv")
                and isinstance(node.value, ast.Name)
                and node.value.id == "os"
            ):
                readers.add(str(file.relative_to(ROOT)))
    assert {reader for reader in readers if not reader.endswith("/settings.py")} <= allowed


def test_emulator_and_spark_jobs_do_not_know_each_other() -> None:
    for one, other in (
        ("emulator", "spark_jobs"),
        ("spark_jobs", "emulator"),
        ("settings", "stack"),
        ("emulator", "stack"),
        ("spark_jobs", "stack"),
    ):
        for file in (ROOT / one).rglob("*.py"):
            imported = {
                name.split(".")[0]
                for node in ast.walk(ast.parse(file.read_text()))
                for name in (
                    [alias.name for alias in node.names]
                    if isinstance(node, ast.Import)
                    else [node.module or ""]
                    if isinstance(node, ast.ImportFrom)
                    else []
                )
            }
            assert other not in imported, f"{file.relative_to(ROOT)} imports {other}"
