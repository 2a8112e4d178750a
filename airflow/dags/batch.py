"""The daily batch run: clean what has landed in the lake, answer the eight questions, check the result.

Each task has Databricks run `spark_jobs/batch.py` with one command of it, on a cluster that is up. A run costs what is new; with the parameter
`full` the tables are made again from everything that ever landed.
"""

from datetime import timedelta

from airflow.providers.databricks.operators.databricks import DatabricksSubmitRunOperator
from airflow.sdk import DAG, CronTriggerTimetable, Param

from settings import FRAMES, Settings

SETTINGS = Settings.load()


def submit(task_id: str, arguments: list[str] | str) -> DatabricksSubmitRunOperator:
    """One command of the batch job. `arguments` is a list, or a template that renders to one."""
    return DatabricksSubmitRunOperator(
        task_id=task_id,
        databricks_conn_id="databricks",
        existing_cluster_id=SETTINGS.databricks_cluster_id,
        spark_python_task={"python_file": SETTINGS.batch_job_file, "parameters": arguments},
        polling_period_seconds=2,
    )


with DAG(
    dag_id=SETTINGS.dag_id,
    doc_md=__doc__,
    # Midnight UTC, as "@daily" is; but with a plain "@daily" (and a start date, or shortly after midnight) Airflow runs the day that
    # has just passed as soon as it sees the DAG: on a stack that has just come up, whose lake is empty. A zero `run_immediately`,
    # which only counts without a start date, makes it wait for the next midnight. `False` means "if it is not long past" there.
    schedule=CronTriggerTimetable("@daily", timezone="UTC", run_immediately=timedelta(0)),
    catchup=False,
    # Two runs would merge into the same tables.
    max_active_runs=1,
    is_paused_upon_creation=False,
    # So that the template below renders to a list.
    render_template_as_native_obj=True,
    params={
        "full": Param(False, type="boolean", description="Make the tables again from everything that ever landed.")
    },
    default_args={
        "retries": 2,
        "retry_delay": timedelta(seconds=15),
        "retry_exponential_backoff": True,
        # A job that gets no executor would wait for ever.
        "execution_timeout": timedelta(hours=2),
    },
    tags=["batch"],
):
    clean = [
        submit(f"clean_{frame}", f"{{{{ ['clean', '{frame}'] + (['--full'] if params.full else []) }}}}")
        for frame in FRAMES
    ]
    clean >> submit("answer_questions", ["answer"]) >> submit("check_result", ["check"])
