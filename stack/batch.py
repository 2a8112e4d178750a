"""`make batch`: run the daily DAG now and follow it."""

import time
from collections.abc import Sequence

from rich.console import Console

from settings import FRAMES, Settings
from stack import connector, databricks, lake, topics
from stack.airflow import Airflow, AirflowError, RunEnd

TOLD = {"running": "white", "success": "green", "failed": "red", "upstream_failed": "red", "up_for_retry": "yellow"}
"""The states of a task that a person hears of, and their colours; the others are between these."""

LAST_LINES = 40
"""Of a failing job."""


class BatchError(AirflowError):
    """The run failed. What the failing task said last has been printed."""


def run(settings: Settings, console: Console, full: bool) -> None:
    """Trigger the DAG, print each task's state as it changes, and raise `BatchError` if the run fails."""
    wait_for_the_lake(settings, console)
    airflow = Airflow(settings)
    airflow.wait_for_dag()
    run_id = airflow.trigger({"full": True} if full else None)
    console.print(airflow.page(run_id), style="dim", soft_wrap=True)
    for change in airflow.follow(run_id):
        if isinstance(change, RunEnd):
            console.print(f"The run ended in {change.seconds:.0f} s: {change.state}.", highlight=False)
            if change.state != "success":
                raise _failure(settings, airflow, run_id, console)
        elif change.state in TOLD:
            took = f"  {change.seconds:.0f} s" if change.seconds is not None else ""
            attempt = f"  attempt {change.attempt}" if change.attempt > 1 else ""
            console.print(
                f"  {change.task_id:<18}[{TOLD[change.state]}]{change.state}[/]{took}{attempt}", highlight=False
            )


def clean(settings: Settings, console: Console) -> None:
    """What the DAG's first three tasks do, without Airflow: bring the tables up to the lake. The answers stay as they were.

    Raises `DatabricksError` if one fails.
    """
    runs = {frame: databricks.submit(settings, f"clean_{frame}", ["clean", frame]) for frame in FRAMES}
    for frame, run_id in runs.items():
        state = databricks.follow(settings, run_id)
        if state.get("result_state") != "SUCCESS":
            print_last_lines(console, f"clean_{frame}", databricks.job_log(settings, run_id))
            raise databricks.DatabricksError(f"clean_{frame} failed: {state['state_message']}")


def wait_for_the_lake(settings: Settings, console: Console, patience: float = 30) -> None:
    """Return once all that Kafka holds now has landed, or nothing more has for `patience` seconds.

    The latter is no error: records at the end of a partition may have been dead letters.
    """
    ends = topics.end_offsets(settings)
    behind, since = lake.behind(settings, ends), time.monotonic()
    while behind and time.monotonic() - since < patience:
        time.sleep(0.5)
        left = lake.behind(settings, ends)
        if left != behind:
            behind, since = left, time.monotonic()
    if behind:
        console.print(
            f"{behind} records of Kafka are not in the lake: dead letters, or the S3 sink is behind ({connector.state(settings)}).",
            style="yellow",
        )


def _failure(settings: Settings, airflow: Airflow, run_id: str, console: Console) -> BatchError:
    failed = airflow.failed_task(run_id)
    if failed is None:
        return BatchError(
            f"The run {run_id} failed, though none of its tasks did: Airflow's page of the run says more."
        )
    # What the job itself wrote; where it never ran, or wrote nothing, what Airflow knows of it.
    lines = databricks.job_log(settings, failed.databricks_run) if failed.databricks_run else []
    lines = lines or failed.lines
    print_last_lines(console, f"{failed.task_id}, attempt {failed.attempt}", lines)
    reason = next((line for line in reversed(lines[-LAST_LINES:]) if " failed" in line), lines[-1] if lines else "")
    return BatchError(f"The task {failed.task_id} failed: {reason}")


def print_last_lines(console: Console, what: str, lines: Sequence[str]) -> None:
    """The end of what a failed job wrote."""
    console.rule(f"the last lines of {what}", align="left")
    for line in lines[-LAST_LINES:]:
        console.print(line, markup=False, highlight=False, soft_wrap=True)
