"""`make lint` and `make test`: the order of the checks, the cheapest first."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import IO

from rich.console import Console

from cloud import mwaa
from settings import Settings, env_file
from stack import engine, environment, images
from stack.compose import ROOT
from stack.errors import StackError

BIN = Path(sys.executable).parent
PYTEST = [str(BIN / "python"), "-m", "pytest"]
SPARK_TEST = "pinterest/spark-test"
MWAA_TEST = "pinterest/mwaa-test"
IN_IMAGES = ("spark_jobs", "airflow", "mwaa", "databricks")
"""Unit tests that run where their subject does: with its own Python, Java and packages."""
LABEL = f"pinterest.tests={os.getpid()}"
"""Of the containers of this run's tests."""
PROXIES = [argument for name in ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY") for argument in ("--build-arg", name)]
BUILD = ["docker", "build", "--quiet", "--network", "host", *PROXIES]


class CheckError(StackError):
    """A check failed. Its own words are above."""


def lint(console: Console) -> None:
    """ruff, mypy, shellcheck and hadolint over every tracked file of their kind. Raises `CheckError`."""
    shell = [name for name in _tracked() if _first_line(name).rstrip().endswith(("/sh", "/bash", " bash"))]
    dockerfiles = [name for name in _tracked() if name.endswith("Dockerfile")]
    services = ["services/rest-proxy/rest_proxy", "services/seed/seed", "services/databricks/databricks_jobs"]
    packages = [
        "settings",
        "stack",
        "emulator",
        "audit",
        "cloud",
        "drills",
        "spark_jobs",
        "benchmarks",
        "localstack/deploy.py",
        "localstack/kinesis_journal.py",
        *services,
    ]
    _run(console, "ruff check", [str(BIN / "ruff"), "check", "."])
    _run(console, "ruff format", [str(BIN / "ruff"), "format", "--check", "."])
    _run(console, "mypy", [str(BIN / "mypy"), *packages])
    _run(console, "shellcheck", [str(BIN / "shellcheck"), *shell])
    _run(console, "hadolint", [str(BIN / "hadolint"), "--config", ".hadolint.yaml", *dockerfiles])


def _tracked() -> list[str]:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return [name for name in listed.splitlines() if (ROOT / name).is_file()]


def _first_line(name: str) -> str:
    with (ROOT / name).open("rb") as file:
        return file.readline().decode(errors="replace")


def _run(console: Console, title: str, command: list[str]) -> None:
    console.rule(title, align="left")
    console.file.flush()
    started = time.monotonic()
    done = subprocess.run(command, cwd=ROOT, stdout=console.file, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        raise CheckError(f"{title} failed after {time.monotonic() - started:.0f} s; what it found is above.")
    console.print(f"{title}: {time.monotonic() - started:.0f} s", style="dim", highlight=False)


def everything(console: Console, integration: bool) -> None:
    """Everything, the cheapest first. Raises `CheckError` at the first part that fails, `EngineError` where there is no engine."""
    lint(console)
    with ThreadPoolExecutor() as threads:
        beside = Beside(console, threads)
        unit_tests = beside.start(_unit_tests)
        _images(console)
        in_images = beside.start(_unit_tests_in_images), beside.start(_unit_tests_of_spark_jobs)
        try:
            beside.finish(unit_tests)
        except CheckError:
            _end_containers()
            raise
        try:
            if integration:
                _run(console, "integration tests", [*PYTEST, "tests/integration"])
        finally:
            beside.finish(*in_images)


class Beside:
    """Checks that run while others do, and take what those leave of the processors. What each says is held back until it is finished."""

    def __init__(self, console: Console, threads: ThreadPoolExecutor) -> None:
        self._console = console
        self._threads = threads
        self._said: dict[Future[None], IO[str]] = {}

    def start(self, check: Callable[[Console], None]) -> Future[None]:
        said = tempfile.TemporaryFile("w+")  # noqa: SIM115  # `finish` closes it
        under_way = self._threads.submit(check, Console(file=said, width=self._console.width))
        self._said[under_way] = said
        return under_way

    def finish(self, *checks: Future[None]) -> None:
        """Wait for these, and print what they said. Raises the first failure."""
        wait(checks)
        for check in checks:
            with self._said.pop(check) as said:
                said.seek(0)
                self._console.print(said.read(), markup=False, highlight=False, soft_wrap=True)
        for check in checks:
            check.result()


def _images(console: Console) -> None:
    """The stack's, and those that only tests need. The engine as well, where there is none."""
    engine.ensure()
    environment.write(env_file())  # Compose cannot read its file without one
    images.build()
    spark = ROOT / "services" / "spark"
    _build(console, "test image of Spark", SPARK_TEST, spark / "test.Dockerfile", spark)
    bundle = ROOT / ".state" / "mwaa-test"
    mwaa.package(
        Settings(user_id="unit", databricks_cluster_id="unit-cluster", batch_job_file="/Workspace/unit/batch.py"),
        bundle,
    )
    _build(console, "test image of MWAA", MWAA_TEST, ROOT / "cloud" / "airflow" / "test.Dockerfile", bundle)


def _build(console: Console, title: str, image: str, dockerfile: Path, context: Path) -> None:
    _run(console, title, [*BUILD, "--tag", image, "--file", str(dockerfile), str(context)])


def _unit_tests(console: Console) -> None:
    elsewhere = (f"--ignore=tests/unit/{part}" for part in IN_IMAGES)
    _run(console, "unit tests", [*PYTEST, "tests/unit", "--numprocesses", "2", *elsewhere])


def _unit_tests_in_images(console: Console) -> None:
    _run(console, "unit tests of the DAG", _in_image("pinterest/airflow", "/opt/airflow", "tests/unit/airflow"))
    # The same tests again, with the Airflow that MWAA has; then those of what it is given.
    on_mwaa = _in_image(MWAA_TEST, "/opt/mwaa", "tests/unit/airflow/test_batch.py", "tests/unit/mwaa")
    _run(console, "unit tests of the DAG on MWAA", on_mwaa)
    in_databricks = _in_image("pinterest/databricks", "/opt/databricks", "tests/unit/databricks")
    _run(console, "unit tests of the Jobs API", in_databricks)


def _unit_tests_of_spark_jobs(console: Console) -> None:
    _run(console, "unit tests of spark_jobs", _in_image(SPARK_TEST, "/opt/spark", "tests/unit/spark_jobs"))


def _end_containers() -> None:
    listed = ["docker", "ps", "--quiet", "--filter", f"label={LABEL}"]
    for container in subprocess.run(listed, check=True, capture_output=True, text=True).stdout.split():
        subprocess.run(["docker", "kill", container], check=False, capture_output=True)


def _in_image(image: str, venv: str, *tests: str) -> list[str]:
    """pytest in a container that can reach nothing. As root: a checkout may be readable by its owner alone.

    Of the processors it is given what nobody else wants.
    """
    mounted = [
        "--label",
        LABEL,
        "--cpu-shares",
        "2",
        "--network",
        "none",
        "--hostname",
        "localhost",
        "--user",
        "0",
        "--volume",
        f"{ROOT}:/opt/pipeline:ro",
        "--workdir",
        "/opt/pipeline",
    ]
    environment = ["--env", "USER_ID=unit", "--env", "PIPELINE_ENV=container"]
    pytest = [f"{venv}/bin/python", "-m", "pytest", "-p", "no:cacheprovider", *tests]
    return ["docker", "run", "--rm", *mounted, *environment, image, *pytest]
