"""The command line of Docker Compose."""

from pathlib import Path

import pytest

from stack import compose


@pytest.mark.parametrize(
    ("held", "files"),
    [
        ("", ["docker-compose.yml"]),
        ("COMPOSE_FILE=\n", ["docker-compose.yml"]),
        (
            "COMPOSE_FILE=docker-compose.yml:docker-compose.confluent.yml\n",
            ["docker-compose.yml", "docker-compose.confluent.yml"],
        ),
    ],
)
def test_dotenv_names_the_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, held: str, files: list[str]) -> None:
    (tmp_path / ".env").write_text(held)
    monkeypatch.setenv("PIPELINE_ENV_FILE", str(tmp_path / ".env"))
    # What a shell exports for another project must not get in.
    monkeypatch.setenv("COMPOSE_FILE", "another.yml")
    command = compose.command("ps")
    named = [command[place + 1] for place, word in enumerate(command) if word == "--file"]
    assert named == [str(compose.ROOT / name) for name in files]
    assert all(Path(name).is_file() for name in named)
