"""Notebooks as runs, by Databricks' own SDK."""

import json
from datetime import timedelta

import pytest
from databricks.sdk.service.jobs import RunOutput, RunResultState, SubmitTask

from tests.unit.databricks.conftest import Service
from tests.unit.databricks.test_jobs import ended, result

PATIENCE = timedelta(seconds=60)
WAREHOUSE = "user/hive/warehouse/authentication_credentials"


def output(service: Service, task: SubmitTask) -> RunOutput:
    """What the run gave, however it ended."""
    run = ended(service, service.client.jobs.submit(tasks=[task]).run_id)
    assert run.tasks
    assert run.tasks[0].run_id
    return service.client.jobs.get_run_output(run.tasks[0].run_id)


def exits_with(service: Service, task: SubmitTask) -> str | None:
    done = output(service, task)
    assert done.error is None
    assert done.notebook_output
    return done.notebook_output.result


def test_cells_share_a_namespace_with_what_is_included_and_with_widgets(service: Service) -> None:
    service.notebook("lib/answer", "ANSWER = 42\ndbutils.widgets.text('included', 'yes')")
    path = service.notebook(
        "lib/main",
        "# MAGIC %md # A title",
        "# MAGIC %run ./answer",
        "dbutils.widgets.text('n', '3')\ndbutils.widgets.dropdown('colour', 'red', ['red', 'blue'])",
        "n = spark.range(int(dbutils.widgets.get('n'))).count()",
        "import json\ndbutils.notebook.exit(json.dumps([ANSWER, n, dbutils.widgets.getAll()]))",
        "raise ValueError('this is after the end')",
    )
    task = service.notebook_task(path, n="7", extra="ü")
    run = service.client.jobs.submit(tasks=[task]).result(PATIENCE)
    assert result(run) == RunResultState.SUCCESS
    assert run.tasks
    notebook = run.tasks[0].notebook_task
    assert notebook
    assert (notebook.notebook_path, notebook.base_parameters) == ("/lib/main", {"n": "7", "extra": "ü"})
    assert json.loads(exits_with(service, task) or "") == [
        42,
        7,
        {"n": "7", "colour": "red", "included": "yes", "extra": "ü"},
    ]


def test_a_notebook_that_just_ends_has_no_result_and_its_page_shows_what_it_displayed(service: Service) -> None:
    path = service.notebook(
        "shows", "display(spark.range(2).withColumnRenamed('id', 'shown'))", "display(['a', 'b'])\ndisplay('c')"
    )
    run = service.client.jobs.submit(tasks=[service.notebook_task(path)]).result(PATIENCE)
    assert run.tasks
    done = service.client.jobs.get_run_output(run.tasks[0].run_id or 0)
    assert (done.notebook_output and done.notebook_output.result, done.logs) == (None, None)
    said = service.client.api_client.do("GET", f"/runs/{run.run_id}", raw=True)["contents"].read().decode()
    assert "|shown|" in said
    assert said.endswith("a\nb\nc\n")


def test_another_notebook_runs_apart_from_this_one(service: Service) -> None:
    service.notebook(
        "inner",
        "assert 'x' not in globals()",
        "assert not spark.catalog.tableExists('mine')",
        "dbutils.notebook.exit(dbutils.widgets.get('given'))",
    )
    service.notebook("silent", "pass")
    path = service.notebook(
        "outer",
        "x = 1\nspark.range(1).createOrReplaceTempView('mine')",
        "inner = dbutils.notebook.run('./inner', 60, {'given': 5})",
        "dbutils.notebook.exit([inner, dbutils.notebook.run('/silent', 0), spark.table('mine').count()])",
    )
    assert exits_with(service, service.notebook_task(path)) == "['5', None, 1]"


@pytest.mark.parametrize(
    ("cell", "error"),
    [
        ("raise ValueError('no such frame')", "ValueError: no such frame"),
        ("spark.sql('SELECT * FROM nothing')", "AnalysisException: [TABLE_OR_VIEW_NOT_FOUND] The table"),
        ("dbutils.widgets.get('x')", "NotFoundError: No input widget named x is defined."),
        ("dbutils.secrets.get('pinterest', 'x')", "NotFoundError: Secret does not exist with scope: pinterest and key: x"),
        ("dbutils.fs.ls('/nowhere')", "NotFoundError: There is no file or folder /nowhere."),
        ("dbutils.fs.rm('/mnt')", "UnsupportedError: dbutils.fs.rm is not supported here; there are: ls, mount, mounts, unmount."),
        ("display(spark.readStream.format('rate').load())", "UnsupportedError: A stream cannot be displayed here"),
        ("dbutils.notebook.run('./gone', 60)", "NotFoundError: Unable to access the notebook './gone'."),
        ("dbutils.notebook.run('./sleeps', 0.5)", "TimedOutError: The notebook './sleeps' was not done within 0.5 s."),
        ("# MAGIC %run ./fails", "SourceError: /fails includes itself by %run."),
        ("# MAGIC %sh ls", "SourceError: /fails: %sh at line 2 is not supported here"),
    ],
)  # fmt: skip
def test_a_failure_is_told_by_a_sentence(service: Service, cell: str, error: str) -> None:
    service.notebook("sleeps", "import time\ntime.sleep(30)")
    done = output(service, service.notebook_task(service.notebook("fails", cell)))
    assert (done.error or "").startswith(error)


def test_a_traceback_names_the_notebooks_own_lines(service: Service) -> None:
    path = service.notebook("fails", "x = 1", "def f():\n    raise ValueError(x)", "f()")
    run = ended(service, service.client.jobs.submit(tasks=[service.notebook_task(path)]).run_id)
    said = service.client.api_client.do("GET", f"/runs/{run.run_id}", raw=True)["contents"].read().decode()
    assert f'{service.workspace}/fails.py", line 11, in <module>\n    f()' in said
    assert "runner.py" not in said


def test_a_notebook_outside_the_workspace_is_not_there(service: Service) -> None:
    (service.state / "outside.py").write_text("# Databricks notebook source\n")
    done = output(service, service.notebook_task("/../outside"))
    assert "Unable to access the notebook '/../outside'" in (done.error or "")
    assert "/pinterest_batch_data" in (done.error or "")


def test_dbfs_is_one_tree_for_spark_and_dbutils(service: Service) -> None:
    path = service.notebook(
        "files",
        "spark.range(3).coalesce(1).write.mode('overwrite').json('/some/folder')",
        "assert spark.read.json('dbfs:/some/folder').count() == 3",
        "found = dbutils.fs.ls('/some')",
        "dbutils.notebook.exit([(one.path, one.name, one.isDir()) for one in found])",
    )
    assert exits_with(service, service.notebook_task(path)) == "[('dbfs:/some/folder/', 'folder/', True)]"
    assert list((service.dbfs / "some" / "folder").glob("*.json"))


AUTHENTICATE = ("# MAGIC %run ./pinterest_authenticate_aws", "dbutils.notebook.exit(keys and (keys.access_key, keys.encoded_secret_key))")  # fmt: skip


@pytest.mark.parametrize(
    ("parameters", "keys"),
    [({}, "None"), ({"credentials": "secrets"}, "('test', 'test')"), ({"credentials": "table"}, "('AKIA', 'a%2Fb%2Bc')")],
)  # fmt: skip
def test_the_bucket_is_mounted_by_a_profile_by_secrets_or_by_the_originals_table(
    service: Service, parameters: dict[str, str], keys: str
) -> None:
    table = service.cluster._spark.createDataFrame([("AKIA", "a/b+c")], ["Access key ID", "Secret access key"])
    # Databricks maps columns by itself where a name has a space in it.
    write = table.write.format("delta").option("delta.columnMapping.mode", "name").mode("overwrite")
    write.save(f"file://{service.dbfs}/{WAREHOUSE}")
    path = service.notebook("authenticates", *AUTHENTICATE)
    assert exits_with(service, service.notebook_task(path, **parameters)) == keys


def test_credentials_that_are_nowhere_are_asked_for_by_name(service: Service) -> None:
    path = service.notebook("authenticates", *AUTHENTICATE)
    done = output(service, service.notebook_task(path, credentials="nowhere"))
    assert "'instance profile', 'secrets' or 'table' is expected" in (done.error or "")


def test_a_mount_is_seen_by_the_next_run_until_it_is_undone(service: Service) -> None:
    mount = service.notebook("mounts", "dbutils.fs.mount('s3n://AKIA:x%2Fy@lake', '/mnt/lake')")
    look = service.notebook("looks", "dbutils.notebook.exit([tuple(one) for one in dbutils.fs.mounts()])")
    undo = service.notebook("undoes", "dbutils.fs.unmount('/mnt/lake')")
    exits_with(service, service.notebook_task(mount))
    assert exits_with(service, service.notebook_task(look)) == "[('/mnt/lake', 's3a://lake', '')]"
    assert "already mounted" in (output(service, service.notebook_task(mount)).error or "")
    exits_with(service, service.notebook_task(undo))
    assert exits_with(service, service.notebook_task(look)) == "[]"
