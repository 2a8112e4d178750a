"""Where Debian comes from."""

from pathlib import Path

import pytest

from stack import images


@pytest.mark.parametrize(
    ("name", "text", "mirror"),
    [
        ("sources.list", "deb http://mirror.example/debian bookworm main\n", ["http://mirror.example/debian"]),
        (
            "sources.list",
            "deb [signed-by=/k] https://mirror.example/debian/ bookworm main\n",
            ["https://mirror.example/debian/"],
        ),
        (
            "sources.list.d/debian.sources",
            "Types: deb\nURIs: http://mirror.example/debian\nSuites: bookworm\n",
            ["http://mirror.example/debian"],
        ),
        ("sources.list", "# deb http://old.example/debian bookworm main\n", []),
        ("sources.list", "deb http://security.example/debian-security bookworm main\n", []),
        ("sources.list", "deb http://archive.example/ubuntu noble main\n", []),
    ],
)
def test_the_hosts_own_mirror_is_found(tmp_path: Path, name: str, text: str, mirror: list[str]) -> None:
    (tmp_path / "sources.list.d").mkdir()
    (tmp_path / name).write_text(text)
    assert images.host_mirror(tmp_path) == mirror
