"""Runs, as Databricks' own SDK sees them."""

import time
from datetime import timedelta

import pytest
import requests
from databricks.sdk.errors import BadRequest
from databricks.sdk.service.jobs import Run, RunLifeCycleState, RunResultState, TaskDependency

from tests.unit.databricks.conftest import TOKEN, Service, until

PATIENCE = timedelta(seconds=60)


def ended(service: Service, run_id: int) -> Run:
    """The run, once it is over, however it ended."""
    until(lambda: bool(service.client.jobs.get_run(run_id).end_time or 0), PATIENCE.total_seconds())
    return service.client.jobs.get_run(run_id)


def result(run: Run) -> RunResultState | None:
    assert run.state is not None
    return run.state.result_state


def test_a_file_runs_with_its_arguments_on_the_driver_that_is_up(service: Service) -> None:
    file = service.file(
        "sum.py",
        "import sys\nfrom pyspark.sql import SparkSession\n"
        "spark = SparkSession.builder.appName('mine').getOrCreate()\n"
        "print(spark.sparkContext.applicationId, sys.argv[1:], spark.range(int(sys.argv[1])).count(), __name__)",
    )
    run = service.client.jobs.submit(tasks=[service.task(file, "7", "ü b")]).result(PATIENCE)
    assert result(run) == RunResultState.SUCCESS
    application = service.cluster._context.applicationId
    assert service.logs(run.run_id or 0).splitlines()[-1] == f"{application} ['7', 'ü b'] 7 __main__"


def test_the_older_form_with_one_task_beside_the_runs_own_fields(service: Service) -> None:
    """As Airflow's operator sends it, every number as text."""
    body = {
        "run_name": "clean pin",
        "existing_cluster_id": "local",
        "spark_python_task": {"python_file": service.file("hello.py", "print('hello')"), "parameters": []},
        "timeout_seconds": "0",
    }
    headers = {"Authorization": f"Bearer {TOKEN}"}
    for version in ("2.0", "2.1", "2.2"):
        answer = requests.post(f"{service.url}/api/{version}/jobs/runs/submit", json=body, headers=headers, timeout=10)
        run = ended(service, answer.json()["run_id"])
        assert [task.task_key for task in run.tasks or []] == ["clean_pin"]
        assert service.logs(run.run_id or 0) == "hello\n"


def test_runs_at_the_same_time_get_their_own_callbacks(service: Service) -> None:
    """`foreachBatch` calls back into Python: into the process that asked, not into the latest."""
    file = service.file(
        "stream.py",
        "import sys, tempfile\nfrom pyspark.sql import SparkSession\n"
        "spark = SparkSession.builder.getOrCreate()\n"
        "rows = spark.readStream.format('rate-micro-batch').option('rowsPerBatch', 5).load()\n"
        "def take(batch, number): print(sys.argv[1], number, batch.count())\n"
        "query = rows.writeStream.foreachBatch(take).start()\n"
        "while len(query.recentProgress) < 3: pass\n"
        "query.stop()",
    )
    runs = [service.client.jobs.submit(tasks=[service.task(file, name)]) for name in ("one", "two", "three")]
    for run, name in zip(runs, ("one", "two", "three"), strict=True):
        done = run.result(PATIENCE)
        batches = [line for line in service.logs(done.run_id or 0).splitlines() if line.endswith(" 5")]
        assert len(batches) >= 3
        assert {line.split()[0] for line in batches} == {name}


def test_a_session_is_the_runs_own(service: Service) -> None:
    leave = service.file(
        "leave.py",
        "from pyspark.sql import SparkSession\nspark = SparkSession.builder.getOrCreate()\n"
        "spark.conf.set('spark.sql.shuffle.partitions', 17)\nspark.range(3).createOrReplaceTempView('left')",
    )
    look = service.file(
        "look.py",
        "from pyspark.sql import SparkSession\nspark = SparkSession.builder.getOrCreate()\n"
        "print(spark.conf.get('spark.sql.shuffle.partitions'), spark.catalog.tableExists('left'))",
    )
    service.client.jobs.submit(tasks=[service.task(leave)]).result(PATIENCE)
    run = service.client.jobs.submit(tasks=[service.task(look)]).result(PATIENCE)
    assert service.logs(run.run_id or 0).splitlines()[-1] == "2 False"


def test_a_file_finds_what_stands_beside_it_and_nothing_of_the_apis(service: Service) -> None:
    service.file("beside.py", "NAME = 'beside'")
    file = service.file("imports.py", "from beside import NAME\nimport settings\nprint(NAME, settings.FRAMES)")
    run = service.client.jobs.submit(tasks=[service.task(file)]).result(PATIENCE)
    assert service.logs(run.run_id or 0) == "beside ('pin', 'geo', 'user')\n"


def test_a_task_is_not_told_the_token(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABRICKS_TOKEN", TOKEN)
    file = service.file("env.py", "import os\nprint('DATABRICKS_TOKEN' in os.environ, 'PATH' in os.environ)")
    run = service.client.jobs.submit(tasks=[service.task(file)]).result(PATIENCE)
    assert service.logs(run.run_id or 0) == "False True\n"


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("raise ValueError('no such frame')", "ValueError: no such frame"),
        (
            "print('clean failed: the bucket is not there')\nraise SystemExit(1)",
            "clean failed: the bucket is not there",
        ),
        ("import os\nos._exit(3)", "The process ended with exit code 3 and wrote nothing."),
    ],
)
def test_a_failure_is_told_by_its_last_line(service: Service, text: str, error: str) -> None:
    submitted = service.client.jobs.submit(tasks=[service.task(service.file("fails.py", text))])
    run = ended(service, submitted.run_id)
    assert result(run) == RunResultState.FAILED
    assert run.tasks
    assert run.tasks[0].run_id
    assert service.client.jobs.get_run_output(run.tasks[0].run_id).error == error


def test_a_file_that_is_not_there_fails_the_run(service: Service) -> None:
    run = ended(service, service.client.jobs.submit(tasks=[service.task("/nowhere/job.py")]).run_id)
    assert result(run) == RunResultState.FAILED
    assert "/nowhere/job.py" in service.logs(run.run_id or 0)


ENDLESS = """
from pyspark.sql import SparkSession
spark = SparkSession.builder.getOrCreate()
print("begun", flush=True)
spark.range(10**15).selectExpr("sum(hash(id))").collect()
"""


def active_jobs(service: Service) -> list[int]:
    return list(service.cluster._context.statusTracker().getActiveJobsIds())


def test_a_cancelled_run_ends_and_so_does_what_spark_did_for_it(service: Service) -> None:
    run_id = service.client.jobs.submit(tasks=[service.task(service.file("endless.py", ENDLESS))]).run_id
    until(lambda: bool(active_jobs(service)))
    service.client.jobs.cancel_run(run_id)
    assert result(ended(service, run_id)) == RunResultState.CANCELED
    until(lambda: not active_jobs(service))


def test_a_run_that_waits_for_room_can_be_cancelled(service: Service) -> None:
    sleeper = service.file("sleep.py", "import time\ntime.sleep(60)")
    running = [service.client.jobs.submit(tasks=[service.task(sleeper)]).run_id for _ in range(3)]
    waiting = service.client.jobs.submit(tasks=[service.task(sleeper)]).run_id
    state = service.client.jobs.get_run(waiting).state
    assert state
    assert state.life_cycle_state == RunLifeCycleState.PENDING
    for run_id in (waiting, *running):
        service.client.jobs.cancel_run(run_id)
    assert {result(ended(service, run_id)) for run_id in (waiting, *running)} == {RunResultState.CANCELED}


def test_a_run_has_only_the_time_that_it_was_given(service: Service) -> None:
    task = service.task(service.file("endless.py", ENDLESS), timeout_seconds=4)
    began = time.monotonic()
    run = ended(service, service.client.jobs.submit(tasks=[task]).run_id)
    assert result(run) == RunResultState.TIMEDOUT
    assert time.monotonic() - began >= 4
    until(lambda: not active_jobs(service))


def test_a_submission_sent_twice_is_one_run(service: Service) -> None:
    file = service.file("hello.py", "print('hello')")
    ids = {service.client.jobs.submit(tasks=[service.task(file)], idempotency_token="once").run_id for _ in range(2)}
    other = service.client.jobs.submit(tasks=[service.task(file)], idempotency_token="another").run_id
    assert len(ids) == 1
    assert other not in ids


def test_tasks_wait_for_those_that_they_depend_on(service: Service) -> None:
    file = service.file("hello.py", "print('hello')")
    fails = service.file("exit.py", "raise SystemExit(1)")
    after = [TaskDependency(task_key="first")]
    good = [service.task(file, key="second", depends_on=after), service.task(file, key="first")]
    run = ended(service, service.client.jobs.submit(tasks=good).run_id)
    times = {task.task_key: (task.start_time or 0, task.end_time or 0) for task in run.tasks or []}
    assert times["first"][1] <= times["second"][0]
    assert result(run) == RunResultState.SUCCESS

    bad = [service.task(fails, key="first"), service.task(file, key="second", depends_on=after)]
    run = ended(service, service.client.jobs.submit(tasks=bad).run_id)
    states = {task.task_key: task.state.result_state for task in run.tasks or [] if task.state}
    assert states == {"first": RunResultState.FAILED, "second": RunResultState.UPSTREAM_FAILED}
    assert result(run) == RunResultState.FAILED


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"existing_cluster_id": "1-2-3"}, "Cluster 1-2-3 does not exist"),
        ({"spark_python_task": None}, "one of spark_python_task and notebook_task"),
        ({"notebook_task": {"notebook_path": "/x"}}, "one of spark_python_task and notebook_task"),
        ({"spark_python_task": None, "notebook_task": {"notebook_path": "x"}}, "notebook_path"),
        ({"spark_python_task": None, "notebook_task": {"notebook_path": "/x", "source": "GIT"}}, "WORKSPACE"),
        ({"spark_python_task": {"python_file": ""}}, "python_file"),
        ({"timeout_seconds": -1}, "timeout_seconds"),
        ({"depends_on": [{"task_key": "b"}]}, "no task of this run: b"),
        ({"depends_on": [{"task_key": "a"}]}, "wait for each other"),
        ({"task_key": "not a key"}, "task_key"),
    ],
)
def test_what_cannot_run_is_refused_with_the_reason(service: Service, change: dict[str, object], message: str) -> None:
    task = {"task_key": "a", "existing_cluster_id": "local", "spark_python_task": {"python_file": "/x.py"}} | change
    with pytest.raises(BadRequest, match=message):
        service.client.api_client.do("POST", "/api/2.2/jobs/runs/submit", body={"tasks": [task]})


@pytest.mark.parametrize("body", ["[]", "{", '{"tasks": []}', '{"tasks": 3}', "null"])
def test_a_body_of_another_shape_is_refused(service: Service, body: str) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    answer = requests.post(f"{service.url}/api/2.2/jobs/runs/submit", data=body, headers=headers, timeout=10)
    assert answer.status_code == 400
    assert answer.json()["error_code"] == "INVALID_PARAMETER_VALUE"
    assert answer.json()["message"]


def test_a_run_that_never_was_is_refused_as_databricks_does(service: Service) -> None:
    answer = requests.get(
        f"{service.url}/api/2.2/jobs/runs/get",
        params={"run_id": 12},
        headers={"Authorization": f"Bearer {TOKEN}"},
        timeout=10,
    )
    assert (answer.status_code, answer.json()) == (
        400,
        {"error_code": "INVALID_PARAMETER_VALUE", "message": "Run 12 does not exist."},
    )


def test_nothing_is_done_without_the_token(service: Service) -> None:
    url = f"{service.url}/api/2.2/jobs/runs"
    for method, path in (
        ("POST", "submit"),
        ("GET", "get"),
        ("GET", "get-output"),
        ("GET", "list"),
        ("POST", "cancel"),
    ):
        bare = requests.request(method, f"{url}/{path}", timeout=10)
        wrong = requests.request(
            method, f"{url}/{path}", headers={"Authorization": "Bearer wröng".encode()}, timeout=10
        )
        assert (bare.status_code, wrong.status_code) == (401, 403)


def test_a_person_reads_the_log_by_the_runs_link(service: Service) -> None:
    file = service.file("html.py", "print('<script>alert(1)</script>')")
    run = service.client.jobs.submit(tasks=[service.task(file)]).result(PATIENCE)
    assert run.run_page_url == f"http://a-browser/runs/{run.run_id}"
    page = requests.get(f"{service.url}/runs/{run.run_id}", timeout=10)
    assert page.headers["Content-Type"].startswith("text/plain")
    assert page.text == "only: TERMINATED SUCCESS\n\n<script>alert(1)</script>\n"
    assert f"{run.run_page_url}  Untitled: TERMINATED SUCCESS\n" in requests.get(service.url, timeout=10).text


def test_the_newest_runs_are_listed_first(service: Service) -> None:
    file = service.file("hello.py", "print('hello')")
    ids = [service.client.jobs.submit(tasks=[service.task(file)]).result(PATIENCE).run_id for _ in range(2)]
    answer = requests.get(
        f"{service.url}/api/2.2/jobs/runs/list",
        params={"limit": 2},
        headers={"Authorization": f"Bearer {TOKEN}"},
        timeout=10,
    )
    assert [run["run_id"] for run in answer.json()["runs"]] == ids[::-1]
