"""The DAG as Airflow reads it. Runs in Airflow's image: `make test` does, or
`docker run --rm -v "$PWD":/opt/pipeline:ro pinterest/airflow /opt/airflow/bin/python -m pytest -p no:cacheprovider tests/unit/airflow`.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk import DAG
from airflow.serialization.serialized_objects import DagSerialization
from airflow.timetables.base import DagRunInfo
from pendulum import instance

from settings import Settings

DAGS = Path(__file__).parents[3] / "airflow" / "dags"
CLEANING = {"clean_pin", "clean_geo", "clean_user"}


@pytest.fixture
def user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Settings of this test alone, whatever .env the machine has."""
    monkeypatch.setenv("PIPELINE_ENV", "container")
    monkeypatch.setenv("PIPELINE_ENV_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("USER_ID", "0a1b2c")


@pytest.fixture
def dag(user: None) -> DAG:
    bag = DagBag(DAGS)
    assert bag.import_errors == {}
    assert list(bag.dags) == ["0a1b2c_dag"]
    return bag.dags["0a1b2c_dag"]


def submitted(dag: DAG, task_id: str, full: bool) -> dict[str, Any]:
    """What Databricks is sent after rendering, in a run with this parameter."""
    task = dag.get_task(task_id)
    task.render_template_fields({"params": {"full": full}, "dag": dag, "task": task})
    return task._prepare_submit_json({})


def arguments(dag: DAG, task_id: str, full: bool) -> list[str]:
    """What the batch job gets."""
    return submitted(dag, task_id, full)["spark_python_task"]["parameters"]


def next_run(dag: DAG, monkeypatch: pytest.MonkeyPatch, now: str, last: datetime | None) -> datetime:
    """When the scheduler, which works with the serialized DAG, starts the next run."""
    monkeypatch.setattr("airflow.timetables.trigger.utcnow", lambda: datetime.fromisoformat(now).replace(tzinfo=UTC))
    scheduled = DagSerialization.from_dict(DagSerialization.to_dict(dag))
    info = scheduled.next_dagrun_info(last_automated_run_info=last and DagRunInfo.exact(instance(last)))
    assert info is not None
    return info.run_after


def test_frames_are_cleaned_before_the_answers_and_those_are_checked(dag: DAG) -> None:
    follows = {task.task_id: task.upstream_task_ids for task in dag.tasks}
    assert follows == {
        **{task: set() for task in CLEANING},
        "answer_questions": CLEANING,
        "check_result": {"answer_questions"},
    }


@pytest.mark.parametrize("frame", ["pin", "geo", "user"])
def test_a_run_cleans_what_is_new(dag: DAG, frame: str) -> None:
    assert arguments(dag, f"clean_{frame}", full=False) == ["clean", frame]


@pytest.mark.parametrize("frame", ["pin", "geo", "user"])
def test_full_rebuilds_every_frame(dag: DAG, frame: str) -> None:
    assert arguments(dag, f"clean_{frame}", full=True) == ["clean", frame, "--full"]


@pytest.mark.parametrize(("task_id", "step"), [("answer_questions", "answer"), ("check_result", "check")])
def test_the_later_steps_are_the_same_in_a_rebuild(dag: DAG, task_id: str, step: str) -> None:
    assert arguments(dag, task_id, full=True) == [step]


def test_a_run_is_incremental_unless_asked_otherwise(dag: DAG) -> None:
    assert dag.params["full"] is False


def test_every_task_is_the_batch_job_on_the_settings_cluster(dag: DAG) -> None:
    settings = Settings.load("container")
    for task in dag.tasks:
        body = submitted(dag, task.task_id, full=False)
        assert body["run_name"] == task.task_id
        assert body["existing_cluster_id"] == settings.databricks_cluster_id
        assert body["spark_python_task"]["python_file"] == settings.batch_job_file


def test_runs_come_one_at_a_time_and_failures_are_retried(dag: DAG) -> None:
    assert dag.max_active_runs == 1
    assert {task.retries for task in dag.tasks} == {2}
    assert dag.is_paused_upon_creation is False


@pytest.mark.parametrize("now", ["2026-03-01T00:00:01", "2026-03-01T00:30:00", "2026-03-01T23:59:59"])
def test_the_first_run_waits_for_the_next_midnight(dag: DAG, monkeypatch: pytest.MonkeyPatch, now: str) -> None:
    """On a stack that has just come up there is nothing to clean yet, whatever the hour."""
    assert next_run(dag, monkeypatch, now, last=None) == datetime(2026, 3, 2, tzinfo=UTC)


def test_days_that_were_missed_are_one_run(dag: DAG, monkeypatch: pytest.MonkeyPatch) -> None:
    last = datetime(2026, 3, 2, tzinfo=UTC)
    assert next_run(dag, monkeypatch, "2026-03-09T12:00:00", last) == datetime(2026, 3, 9, tzinfo=UTC)


def test_unusable_settings_are_an_import_error(user: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("USER_ID", "not an id")
    bag = DagBag(DAGS)
    assert not bag.dags
    assert "USER_ID" in "".join(bag.import_errors.values())
