"""Makes .venv with the locked packages: `python3 stack/bootstrap.py run|test`. Standard library only; it runs before anything is there.
The Makefile tells uv of the mirror that pip would use.

`run` is what the emulator and the stack's commands need, `test` adds the tools of `make test`.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
VENV = ROOT / ".venv"
UV = "uv==0.13.9"


def make_venv() -> None:
    """Raises `SystemExit` with a sentence where Python is too old or cannot make environments."""
    if sys.version_info < (3, 11):  # noqa: UP036  # an older Python may be what runs this file
        sys.exit(
            f"Python {sys.version.split()[0]} is too old: 3.11 or newer is needed. Say which: make PYTHON=python3.12 …"
        )
    try:
        import ensurepip  # noqa: F401
    except ImportError:  # Debian ships it as a package of its own
        if os.geteuid() != 0 or not shutil.which("apt-get"):
            sys.exit("Python's venv module is missing. On Debian and Ubuntu: sudo apt-get install python3-venv")
        print("Installing python3-venv, which Debian's Python lacks …", flush=True)
        subprocess.run(["apt-get", "update", "-qq"], check=True)
        subprocess.run(["apt-get", "install", "-y", "-qq", "python3-venv"], check=True, stdout=subprocess.DEVNULL)
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(VENV)], check=True)
    subprocess.run([VENV / "bin/pip", "install", "--quiet", "--disable-pip-version-check", UV], check=True)


def install(group: str) -> None:
    """Installs by way of exported requirements: `uv sync` would ask the lock's own index, not the mirror this machine may have."""
    uv = str(VENV / "bin/uv")
    with tempfile.NamedTemporaryFile(suffix=".txt") as requirements:
        export = [uv, "export", "--quiet", "--frozen", "--no-emit-project", "--output-file", requirements.name]
        subprocess.run([*export, *([] if group == "test" else ["--no-dev"])], cwd=ROOT, check=True)
        command = [uv, "pip", "install", "--quiet", "--python", str(VENV / "bin/python"), "-r", requirements.name]
        subprocess.run(command, check=True)


if __name__ == "__main__":
    group = sys.argv[1]
    if not (VENV / "bin/uv").exists():
        print("Making .venv …", flush=True)
        make_venv()
    print(f"Installing the packages to {group} …", flush=True)
    try:
        install(group)
    except subprocess.CalledProcessError as error:
        sys.exit(
            f"The packages could not be installed (exit code {error.returncode}, see above). Is PyPI, or PIP_INDEX_URL, in reach?"
        )
    (VENV / f".{group}").touch()
