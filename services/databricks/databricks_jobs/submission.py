"""What `runs/submit` takes: its body, checked."""

import re
from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any, Literal

from pydantic import BaseModel, Field, ValidationError, model_validator

from databricks_jobs.errors import InvalidParameterError


class SparkPythonTask(BaseModel):
    """A Python file on the cluster, and its arguments."""

    python_file: str = Field(min_length=1)
    parameters: list[str] = []


class NotebookTask(BaseModel):
    """A notebook of the workspace, by its absolute path, and the values of its widgets."""

    notebook_path: str = Field(pattern="^/")
    base_parameters: dict[str, str] = {}
    source: Literal["WORKSPACE"] = "WORKSPACE"


class Dependency(BaseModel):
    """A task that must have succeeded before."""

    task_key: str


class Task(BaseModel):
    """One task of a run: a Python file or a notebook. `timeout_seconds` of 0 is none."""

    task_key: str = Field(pattern=r"^[\w-]{1,100}$")
    spark_python_task: SparkPythonTask | None = None
    notebook_task: NotebookTask | None = None
    existing_cluster_id: str
    depends_on: list[Dependency] = []
    timeout_seconds: int = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _does_one_thing(self) -> "Task":
        if (self.spark_python_task is None) == (self.notebook_task is None):
            raise ValueError("it must have one of spark_python_task and notebook_task")
        return self


class Submission(BaseModel):
    """A one-time run. Its tasks stand in an order in which they can run."""

    run_name: str = "Untitled"
    tasks: list[Task] = Field(min_length=1, max_length=100)
    idempotency_token: str | None = Field(default=None, max_length=64)


def parse(body: Any, cluster_id: str) -> Submission:
    """The submission in this body: with `tasks`, or in the older form with a single task beside the run's own fields.

    Raises `InvalidParameterError`.
    """
    if not isinstance(body, Mapping):
        raise InvalidParameterError("The body must be a JSON object.")
    if "tasks" not in body:
        key = re.sub(r"[^\w-]", "_", str(body.get("run_name") or "Untitled"))[:100]
        body = {**body, "tasks": [{**body, "task_key": key}]}
    try:
        submission = Submission.model_validate(body)
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors())
        raise InvalidParameterError(
            f"{faults}. Here a task is a spark_python_task or a notebook_task on the cluster {cluster_id!r}."
        ) from None
    for task in submission.tasks:
        if task.existing_cluster_id != cluster_id:
            raise InvalidParameterError(
                f"Cluster {task.existing_cluster_id} does not exist. There is one: {cluster_id}."
            )
    return submission.model_copy(update={"tasks": _in_order(submission.tasks)})


def _in_order(tasks: list[Task]) -> list[Task]:
    by_key = {task.task_key: task for task in tasks}
    if len(by_key) < len(tasks):
        raise InvalidParameterError("Two tasks have the same task_key.")
    needs = {task.task_key: [dependency.task_key for dependency in task.depends_on] for task in tasks}
    unknown = {key for keys in needs.values() for key in keys} - set(by_key)
    if unknown:
        raise InvalidParameterError(f"depends_on names no task of this run: {', '.join(sorted(unknown))}.")
    try:
        return [by_key[key] for key in TopologicalSorter(needs).static_order()]
    except CycleError as error:
        raise InvalidParameterError(f"The tasks wait for each other: {' → '.join(error.args[1])}.") from None
