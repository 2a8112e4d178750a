"""Every image, built from Debian and pinned packages; where no registry is in reach, Debian itself as well."""

import re
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from stack import compose
from stack.engine import install_packages
from stack.errors import EngineError

DEBIAN = "debian:trixie-slim"
HOST_CERTIFICATES = Path("/usr/local/share/ca-certificates")
FIRST = (("base",), ("kafka", "spark-master"))
"""What other images stand on, in the order in which it must be built."""

BUILD_LOG = compose.ROOT / ".state" / "build.log"


def build() -> None:
    """Build what is missing or has changed. Raises `ComposeError` or `EngineError`."""
    _provide_debian()
    _copy_certificates()
    BUILD_LOG.parent.mkdir(exist_ok=True)
    BUILD_LOG.unlink(missing_ok=True)
    ours = compose.services_built_here()
    rest = tuple(service for service in ours if not any(service in wave for wave in FIRST))
    for wave in (*FIRST, rest):
        started = time.monotonic()
        print(f"Building {', '.join(wave)} …", end=" ", flush=True)
        compose.build(wave, BUILD_LOG)
        print(f"{time.monotonic() - started:.0f} s", flush=True)


def _provide_debian() -> None:
    for command in (["image", "inspect", DEBIAN], ["pull", "--quiet", DEBIAN]):
        if subprocess.run(["docker", *command], check=False, capture_output=True).returncode == 0:
            return
    print(f"{DEBIAN} cannot be pulled: making it with debootstrap …", end=" ", flush=True)
    started = time.monotonic()
    if not shutil.which("debootstrap"):
        install_packages("debootstrap")
    scripts = Path("/usr/share/debootstrap/scripts")
    if not (scripts / "trixie").exists():  # a debootstrap older than the release; all of Debian's share one script
        (scripts / "trixie").symlink_to("sid")
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "trixie"
        done = subprocess.run(
            ["debootstrap", "--variant=minbase", "trixie", str(root), *host_mirror()],
            check=False,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise EngineError(
                f"debootstrap could not make Debian: {(done.stdout + done.stderr).strip().splitlines()[-1:]}"
            )
        for cache in ("var/cache/apt", "var/lib/apt/lists"):
            shutil.rmtree(root / cache)
        tar = subprocess.Popen(["tar", "-C", str(root), "-c", "."], stdout=subprocess.PIPE)
        subprocess.run(
            ["docker", "import", "--change", 'CMD ["bash"]', "-", DEBIAN],
            stdin=tar.stdout,
            check=True,
            capture_output=True,
        )
        if tar.wait():
            raise EngineError(f"{DEBIAN} could not be packed: tar ended with exit code {tar.returncode}.")
    print(f"{time.monotonic() - started:.0f} s", flush=True)


def host_mirror(apt: Path = Path("/etc/apt")) -> list[str]:
    """The Debian mirror that this machine's apt uses, as debootstrap's last argument; nothing where it names none (Ubuntu)."""
    for file in (apt / "sources.list", *sorted((apt / "sources.list.d").glob("*"))):
        text = re.sub(r"#.*", "", file.read_text()) if file.is_file() else ""
        if found := re.search(r"https?://\S+/debian/?(?=\s)", text):
            return [found.group()]
    return []


def _copy_certificates() -> None:
    """The host's extra CAs go into the base image: behind a company's proxy nothing could be fetched while building."""
    target = compose.ROOT / "services" / "base" / "ca"
    target.mkdir(exist_ok=True)
    certificates = {file.name: file.read_bytes() for file in HOST_CERTIFICATES.glob("*.crt")}
    for file in target.glob("*.crt"):
        if file.name not in certificates:
            file.unlink()
    for name, content in certificates.items():
        copy = target / name
        if not copy.exists() or copy.read_bytes() != content:
            copy.write_bytes(content)
