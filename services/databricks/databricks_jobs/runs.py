"""Runs and their states, kept as files: a run that was under way when the cluster died is known to have failed when it is back."""

import threading
import time
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path

from pydantic import BaseModel

from databricks_jobs.errors import InvalidParameterError
from databricks_jobs.submission import Submission, Task

KEPT = 500
"""Ended runs whose state and logs are kept; Databricks keeps 60 days of them."""


class LifeCycle(StrEnum):
    """How far a run is."""

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    TERMINATED = "TERMINATED"
    INTERNAL_ERROR = "INTERNAL_ERROR"


class Result(StrEnum):
    """How a run ended."""

    SUCCESS = "SUCCESS"
    FAILED = "FAILED"
    TIMEDOUT = "TIMEDOUT"
    CANCELED = "CANCELED"
    UPSTREAM_FAILED = "UPSTREAM_FAILED"


class State(BaseModel):
    """A run's state in Databricks' words."""

    life_cycle_state: LifeCycle = LifeCycle.PENDING
    result_state: Result | None = None
    state_message: str = ""

    @property
    def has_ended(self) -> bool:
        return self.life_cycle_state in (LifeCycle.TERMINATED, LifeCycle.INTERNAL_ERROR)


class TaskRun(BaseModel):
    """One task of a run: a run of its own, with its own id. Times are milliseconds since 1970, 0 if not yet."""

    run_id: int
    task: Task
    state: State = State()
    start_time: int = 0
    end_time: int = 0

    def begin(self) -> None:
        self.state, self.start_time = State(life_cycle_state=LifeCycle.RUNNING), now()

    def end(self, result: Result, message: str = "", cause: LifeCycle = LifeCycle.TERMINATED) -> None:
        self.state = State(life_cycle_state=cause, result_state=result, state_message=message)
        self.end_time = now()


class Run(BaseModel):
    """A submitted run and its tasks, in the order in which they are run."""

    run_id: int
    run_name: str
    idempotency_token: str | None
    start_time: int
    tasks: list[TaskRun]

    @property
    def state(self) -> State:
        """The run's own state: that of its first task which did not succeed, once all have ended."""
        states = [task.state for task in self.tasks]
        if not all(state.has_ended for state in states):
            begun = any(state.life_cycle_state != LifeCycle.PENDING for state in states)
            return State(life_cycle_state=LifeCycle.RUNNING if begun else LifeCycle.PENDING)
        return next((state for state in states if state.result_state != Result.SUCCESS), states[-1])

    @property
    def end_time(self) -> int:
        return max(task.end_time for task in self.tasks) if self.state.has_ended else 0


def now() -> int:
    return int(time.time() * 1000)


class Runs:
    """All runs, in `folder`: `<run id>.json`, and for each task what it wrote in `<its run id>.log`, and what a notebook exited with in
    `<its run id>.result`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._runs = {run.run_id: run for run in self._load()}
        self._last_id = max((task.run_id for run in self._runs.values() for task in run.tasks), default=0)
        for run in self._runs.values():
            for task in run.tasks:
                if not task.state.has_ended:
                    message = "The cluster was restarted while this was under way."
                    task.end(Result.FAILED, message, LifeCycle.INTERNAL_ERROR)
            self.save(run)

    def _load(self) -> Iterator[Run]:
        for file in sorted(self._folder.glob("*.json")):
            yield Run.model_validate_json(file.read_text())

    def add(self, submission: Submission) -> tuple[Run, bool]:
        """The run of this submission and whether it is new: its idempotency token may belong to one that is there."""
        with self._lock:
            token = submission.idempotency_token
            known = next((run for run in self._runs.values() if token and run.idempotency_token == token), None)
            if known:
                return known, False
            run = Run(
                run_id=self._next_id(),
                run_name=submission.run_name,
                idempotency_token=token,
                start_time=now(),
                tasks=[TaskRun(run_id=self._next_id(), task=task) for task in submission.tasks],
            )
            self._runs[run.run_id] = run
            self._forget_the_oldest()
        self.save(run)
        return run, True

    def _next_id(self) -> int:
        """An id that no run had before, not even one that is forgotten: a client may still ask for it."""
        self._last_id = max(now(), self._last_id + 1)
        return self._last_id

    def _forget_the_oldest(self) -> None:
        ended = [run for run in self._runs.values() if run.state.has_ended]
        for run in ended[: max(0, len(ended) - KEPT)]:
            del self._runs[run.run_id]
            (self._folder / f"{run.run_id}.json").unlink(missing_ok=True)
            for task in run.tasks:
                self.log(task).unlink(missing_ok=True)
                self.result(task).unlink(missing_ok=True)

    def save(self, run: Run) -> None:
        """Write its state down, whole or not at all."""
        file = self._folder / f"{run.run_id}.json"
        new = file.with_suffix(".new")
        new.write_text(run.model_dump_json())
        new.replace(file)

    def get(self, run_id: int) -> tuple[Run, TaskRun | None]:
        """The run of this id, or the task of this id with the run that it belongs to. Raises `InvalidParameterError`."""
        if run := self._runs.get(run_id):
            return run, None
        for run in list(self._runs.values()):
            for task in run.tasks:
                if task.run_id == run_id:
                    return run, task
        raise InvalidParameterError(f"Run {run_id} does not exist.")

    def newest(self, limit: int) -> list[Run]:
        return sorted(self._runs.values(), key=lambda run: run.run_id, reverse=True)[:limit]

    def log(self, task: TaskRun) -> Path:
        """The file of what a task wrote."""
        return self._folder / f"{task.run_id}.log"

    def result(self, task: TaskRun) -> Path:
        """The file of what a notebook exited with; there is none if it just ended."""
        return self._folder / f"{task.run_id}.result"
