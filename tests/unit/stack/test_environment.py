"""`.env`: made once, kept ever after."""

from pathlib import Path

from dotenv import dotenv_values

from stack import environment


def test_a_new_file_holds_all_and_is_private(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    added = environment.write(file)
    values = dotenv_values(file)
    assert set(added) == set(values)
    assert all(values.values())
    assert values["LOCALSTACK_PORT"] == "4566"
    assert file.stat().st_mode & 0o777 == 0o600


def test_secrets_differ_from_one_machine_to_the_next(tmp_path: Path) -> None:
    environment.write(tmp_path / "a")
    environment.write(tmp_path / "b")
    a, b = dotenv_values(tmp_path / "a"), dotenv_values(tmp_path / "b")
    secrets = {name for name in a if "PASSWORD" in name or "SECRET" in name or name == "KAFKA_CLUSTER_ID"}
    assert len(secrets) >= 5
    assert all(a[name] != b[name] for name in secrets)


def test_twice_changes_nothing(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    environment.write(file)
    before = file.read_text()
    assert environment.write(file) == []
    assert file.read_text() == before


def test_a_stale_file_gets_what_it_lacks_and_keeps_what_it_has(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("LOCALSTACK_PORT=14566\nAIRFLOW_PORT=\n")
    added = environment.write(file)
    assert "LOCALSTACK_PORT" not in added
    assert "AIRFLOW_PORT" in added
    assert dotenv_values(file)["LOCALSTACK_PORT"] == "14566"
    assert dotenv_values(file)["AIRFLOW_PORT"] == "8080"


def test_a_test_brings_its_own_ports(tmp_path: Path) -> None:
    environment.write(tmp_path / ".env", KAFKA_PORT="5")
    assert dotenv_values(tmp_path / ".env")["KAFKA_PORT"] == "5"


def test_a_cluster_id_is_what_kafka_takes(tmp_path: Path) -> None:
    for _ in range(50):
        identity = environment._kafka_cluster_id()
        assert len(identity) == 22
        assert not identity.startswith("-")  # the tool would take it for an option
