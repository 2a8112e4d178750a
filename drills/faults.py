"""The faults. Each breaks one thing while the load goes on, makes sure that it did, and mends it."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

from drills import sink_record
from drills.drill import Fault
from drills.errors import DrillError, NotHitError
from drills.load import Load
from drills.stage import Stage, docker
from settings import FRAMES, Settings
from stack import compose, connector, lake
from stack.compose import ROOT
from stack.waiting import wait_until

OUTAGE = 5
PAUSE = 30
"""Seconds."""

RESIDENT = 2
"""Drivers that stay up: the streams' and the batch's."""

SPARK_DEFAULTS = "/opt/spark/conf/spark-defaults.conf"
BATCH_JOB = "/opt/pipeline/spark_jobs/batch.py"
FAULTY_S3 = Path(__file__).parent / "faulty_s3.py"


def killed(service: str) -> Fault:
    """`kill -9`, and a start five seconds later."""

    def fault(stage: Stage, load: Load) -> None:
        stage.kill(service)
        try:
            load.goes_on_for(OUTAGE)
        finally:
            stage.start(service)

    return fault


def paused(service: str) -> Fault:
    """Frozen for half a minute: its connections stay open, and nothing answers."""

    def fault(stage: Stage, load: Load) -> None:
        with stage.paused(service):
            load.goes_on_for(PAUSE)

    return fault


def cut_off(service: str, network: str) -> Fault:
    """Without one of its networks for half a minute."""

    def fault(stage: Stage, load: Load) -> None:
        with stage.cut_off(service, network):
            load.goes_on_for(PAUSE)

    return fault


def emulator_killed(stage: Stage, load: Load) -> None:
    """`kill -9`, and the same run again."""
    load.goes_on_for(OUTAGE)
    load.kill()
    load.start()


def stack_down_and_up(stage: Stage, load: Load) -> None:
    """`make down && make up`."""
    _stack(stage, "down").check_returncode()
    if compose.containers():
        raise NotHitError("The stack was stopped, and has containers.")
    load.must_run()
    _stack(stage, "up").check_returncode()


def batch_driver_killed(stage: Stage, load: Load) -> None:
    """`kill -9` while a `MERGE` runs, and a start. The run may fail or go on: Airflow tries again."""
    _have_tables(stage)
    with _batch_under_way(stage) as batch:

        def merges() -> bool:
            if batch.poll() is not None:
                raise NotHitError("The batch had ended before a MERGE was seen.")
            return any("MERGE" in description for description in _running_jobs(stage.settings))

        wait_until(merges, 120, lambda: NotHitError("No MERGE was seen."), every=0.1)
        killed("databricks")(stage, load)


def airflow_killed(stage: Stage, load: Load) -> None:
    """`kill -9` while the batch runs, and a start."""
    with _batch_under_way(stage) as batch:
        wait_until(lambda: bool(_running_jobs(stage.settings)), 120, lambda: NotHitError("No batch runs."), every=0.1)
        if batch.poll() is not None:
            raise NotHitError("The batch had ended.")
        killed("airflow")(stage, load)


def two_batch_runs(stage: Stage, load: Load) -> None:
    """A run by hand beside Airflow's: two drivers read the same objects by the same checkpoints into the same tables.

    The slower one may fail, and say so; the DAG's `max_active_runs=1` is what keeps people from it.
    """
    _have_tables(stage)
    _spark_workers(2)  # one's cores are all taken
    try:
        with _batch_under_way(stage):
            both = 0
            for frame in FRAMES:
                with (stage.folder / "second-driver.log").open("a") as log:
                    submit = ("spark-submit", f"--properties-file={SPARK_DEFAULTS}", BATCH_JOB, "clean", frame)
                    second = subprocess.Popen(
                        compose.command("run", "--rm", "--no-deps", "spark-worker", *submit), stdout=log, stderr=log
                    )
                    while second.poll() is None:
                        both += bool(_running_jobs(stage.settings)) and _applications(stage.settings) > RESIDENT
                        time.sleep(0.2)
            if not both:
                raise NotHitError("The two runs never ran at the same time.")
    finally:
        _spark_workers(1)


def flush_size_changed(stage: Stage, load: Load) -> None:
    """The sink's worker is killed, and finds another `flush.size` when it is back: objects get other bounds."""
    stage.kill("connect")
    try:
        load.goes_on_for(OUTAGE)
        sink_record.change(stage.settings, {"flush.size": "37"})
    finally:
        stage.start("connect")
    try:
        wait_until(
            lambda: _flush_sizes(stage.settings) == {"37"},
            120,
            lambda: NotHitError(f"The sink's tasks came back with flush.size {_flush_sizes(stage.settings)}."),
        )
        load.goes_on_for(OUTAGE)
    finally:
        _configure_sink(stage, {})


def two_connect_workers(stage: Stage, load: Load) -> None:
    """A second worker comes, takes over some of the tasks, and is killed: two rebalances while objects are being written."""
    worker = f"{stage.project}-second-worker"
    compose.capture("run", "--detach", "--no-deps", "--name", worker, "connect")
    try:
        wait_until(
            lambda: len(_workers(stage.settings)) == 2, 90, lambda: NotHitError("The second worker was given no task.")
        )
        load.must_run()
        docker("kill", "--signal", "KILL", worker)
    finally:
        docker("rm", "--force", worker)


def faulty_s3(stage: Stage, load: Load) -> None:
    """Between the sink and S3 stands a proxy that answers 500 and 503, resets connections, and loses answers of what was done."""
    proxy = f"{stage.project}-faulty-s3"
    script = "/opt/faulty_s3.py"
    docker(
        *("run", "--detach", "--name", proxy, "--network", f"{stage.project}_pipeline", "--cap-drop", "ALL"),
        *("--volume", f"{FAULTY_S3}:{script}:ro", "pinterest/base", "python3", script, "localstack", "4566"),
    )
    try:
        with _sink(stage, {"store.url": f"http://{proxy}:4566"}):
            load.goes_on_for(PAUSE)
        faults = docker("logs", proxy).count("fault")
        if faults < 10:
            raise NotHitError(f"S3 misbehaved {faults} times, at least 10 were expected.")
    finally:
        docker("rm", "--force", proxy)


@contextmanager
def _sink(stage: Stage, changes: dict[str, str]) -> Iterator[None]:
    """The sink with another configuration."""
    _configure_sink(stage, changes)
    try:
        yield
    finally:
        _configure_sink(stage, {})


def _configure_sink(stage: Stage, changes: dict[str, str]) -> None:
    """Its usual configuration with these changes, as soon as Connect takes it."""
    url = f"{stage.settings.connect_url}/connectors/{connector.NAME}/config"
    wanted = connector.configuration(Settings.load("container")) | changes

    def is_taken() -> bool:
        try:
            return requests.put(url, json=wanted, timeout=60).ok
        except requests.RequestException:
            return False

    wait_until(is_taken, 120, lambda: DrillError("Kafka Connect did not take the sink's configuration."))


def _spark_workers(count: int) -> None:
    compose.capture(
        "up", "--detach", "--no-deps", "--no-recreate", "--wait", "--scale", f"spark-worker={count}", "spark-worker"
    )


def _applications(settings: Settings) -> int:
    """How many drivers have executors of the cluster."""
    return len(requests.get(f"{settings.spark_url}/json/", timeout=10).json()["activeapps"])


def _workers(settings: Settings) -> set[str]:
    status = requests.get(f"{settings.connect_url}/connectors/{connector.NAME}/status", timeout=10).json()
    return {task["worker_id"] for task in status.get("tasks", []) if task["state"] == "RUNNING"}


def _flush_sizes(settings: Settings) -> set[str]:
    """Those of the sink's tasks; none while Connect does not answer."""
    try:
        tasks = requests.get(f"{settings.connect_url}/connectors/{connector.NAME}/tasks", timeout=10).json()
        return {task["config"]["flush.size"] for task in tasks}
    except (requests.RequestException, KeyError, TypeError):
        return set()


def _running_jobs(settings: Settings) -> list[str]:
    """What the batch's Spark says of the jobs that it runs now."""
    api = f"{settings.cluster_url}/api/v1/applications"
    try:
        (application,) = requests.get(api, timeout=10).json()
        jobs = requests.get(f"{api}/{application['id']}/jobs?status=running", timeout=10).json()
    except (requests.RequestException, ValueError):
        return []
    return [job.get("description", job["name"]) for job in jobs]


def _have_tables(stage: Stage) -> None:
    """The first run makes the tables; only later ones merge into them."""
    if lake.table(stage.settings, "batch/user") is None:
        _stack(stage, "batch").check_returncode()


@contextmanager
def _batch_under_way(stage: Stage) -> Iterator[subprocess.Popen[bytes]]:
    """`make batch`; it may fail, as a person's would, and what it leaves undone the next run does."""
    with (stage.folder / "batch.log").open("a") as log:
        batch = subprocess.Popen([sys.executable, "-m", "stack", "batch"], cwd=ROOT, stdout=log, stderr=log)
        try:
            yield batch
            batch.wait(600)
        finally:
            batch.kill()
            batch.wait()


def _stack(stage: Stage, command: str) -> subprocess.CompletedProcess[bytes]:
    with (stage.folder / f"{command}.log").open("a") as log:
        return subprocess.run([sys.executable, "-m", "stack", command], cwd=ROOT, stdout=log, stderr=log, check=False)
