"""What `make up` and `make doctor` find wrong with a machine."""

from pathlib import Path

import pytest

from stack import environment, preflight


def test_a_file_as_it_is_written_is_private(tmp_path: Path) -> None:
    environment.write(tmp_path / ".env")
    assert preflight._private(tmp_path / ".env") == []


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660, 0o610])
def test_a_file_that_others_may_read_is_a_fault_that_says_what_to_do(tmp_path: Path, mode: int) -> None:
    environment.write(tmp_path / ".env")
    (tmp_path / ".env").chmod(mode)
    [fault] = preflight._private(tmp_path / ".env")
    assert f"{mode:o}" in fault
    assert f"chmod 600 {tmp_path / '.env'}" in fault


def test_no_file_is_not_this_checks_matter(tmp_path: Path) -> None:
    assert preflight._private(tmp_path / ".env") == []
