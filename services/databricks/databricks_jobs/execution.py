"""Carries runs out: each task in a process of its own, with what it writes in a log."""

import json
import os
import signal
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from databricks_jobs.runs import LifeCycle, Result, Run, Runs, TaskRun
from databricks_jobs.settings import task_environment

if TYPE_CHECKING:  # Spark is the cluster's business
    from databricks_jobs.cluster import Cluster

REPL = Path(__file__).with_name("repl.py")
NOTEBOOK_TASK = "databricks_jobs.notebook_task"


class Execution:
    """Up to `at_once` runs at a time; further ones are pending. A run's tasks come one after the other.

    `python` is the tasks' interpreter, `workspace` the folder of the notebooks, `mounts` that of the buckets' mounts.
    """

    def __init__(
        self, runs: Runs, cluster: "Cluster", python: str, workspace: Path, mounts: Path, at_once: int
    ) -> None:
        self._runs = runs
        self._cluster = cluster
        self._python = python
        self._workspace = workspace
        self._mounts = mounts
        self._pool = ThreadPoolExecutor(at_once, "run")
        self._processes: dict[int, subprocess.Popen[str]] = {}
        self._to_end: dict[int, Result] = {}
        self._lock = threading.Lock()

    def start(self, run: Run) -> None:
        """Carry the run out, as soon as there is room."""
        self._pool.submit(self._carry_out, run)

    def cancel(self, run: Run) -> None:
        """End what of the run has not ended. It is over soon after."""
        for task in run.tasks:
            if not task.state.has_ended:
                self._stop(task, Result.CANCELED)

    def _stop(self, task: TaskRun, result: Result) -> None:
        with self._lock:
            self._to_end.setdefault(task.run_id, result)
            process = self._processes.get(task.run_id)
            if process:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
        if process:
            self._cluster.cancel(_tag(task))

    def _carry_out(self, run: Run) -> None:
        succeeded: set[str] = set()
        for task in run.tasks:
            if any(dependency.task_key not in succeeded for dependency in task.task.depends_on):
                task.end(Result.UPSTREAM_FAILED, "A task that this one depends on did not succeed.")
            else:
                task.begin()
                self._runs.save(run)
                try:
                    self._run(task)
                except Exception as error:  # noqa: BLE001  # whatever it is, the run has ended, and its client must hear so
                    task.end(Result.FAILED, f"{type(error).__name__}: {error}", LifeCycle.INTERNAL_ERROR)
            self._to_end.pop(task.run_id, None)
            if task.state.result_state == Result.SUCCESS:
                succeeded.add(task.task.task_key)
            self._runs.save(run)

    def _run(self, task: TaskRun) -> None:
        with self._cluster.gateway() as gateway:
            with self._lock:
                if task.run_id in self._to_end:
                    task.end(Result.CANCELED, "Run cancelled.")
                    return
                process = self._processes[task.run_id] = subprocess.Popen(
                    [self._python, "-u", *self._command(task)],
                    env={**task_environment(), **gateway},
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    text=True,
                    errors="replace",
                    start_new_session=True,
                )
            limit = task.task.timeout_seconds
            alarm = threading.Timer(limit, self._stop, (task, Result.TIMEDOUT))
            if limit:
                alarm.start()
            last = self._copy_output(task, process)
            code = process.wait()
            alarm.cancel()
            with self._lock:
                del self._processes[task.run_id]
                ended = self._to_end.get(task.run_id)
        if ended:
            task.end(ended, "Run cancelled." if ended == Result.CANCELED else f"Not done within {limit} s.")
        elif code:
            task.end(Result.FAILED, last or f"The process ended with exit code {code} and wrote nothing.")
        else:
            task.end(Result.SUCCESS)

    def _command(self, task: TaskRun) -> list[str]:
        if file := task.task.spark_python_task:
            return [str(REPL), _tag(task), file.python_file, *file.parameters]
        notebook = task.task.notebook_task
        assert notebook is not None
        order = {
            "tag": _tag(task),
            "path": notebook.notebook_path,
            "parameters": notebook.base_parameters,
            "workspace": str(self._workspace),
            "mounts": str(self._mounts),
            "result": str(self._runs.result(task)),
        }
        return ["-m", NOTEBOOK_TASK, json.dumps(order)]

    def _copy_output(self, task: TaskRun, process: subprocess.Popen[str]) -> str:
        """Copy what the process writes to the task's log and to ours, until it ends. Gives the last line."""
        assert process.stdout is not None
        last = ""
        with self._runs.log(task).open("w") as log:
            for line in process.stdout:
                log.write(line)
                log.flush()
                print(f"[{task.task.task_key}] {line}", end="", flush=True)
                last = line.strip() or last
        return last


def _tag(task: TaskRun) -> str:
    return f"run-{task.run_id}"
