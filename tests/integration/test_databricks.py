"""The notebooks, unmodified, as runs on the local cluster, by Databricks' own client: what they find is what the two paths' tables hold.

This module comes after the two paths', whose posts it reads; by itself, it sends some.
"""

import json
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.service.jobs import NotebookTask, RunOutput, RunResultState, SubmitTask

from settings import FRAMES
from stack.waiting import wait_until
from tests.integration import test_batch_path, test_streaming_path
from tests.integration.conftest import Stack
from tests.oracle import ANSWERS, answers, compare

PATIENCE = timedelta(seconds=180)


@pytest.fixture(scope="module")
def client(stack: Stack) -> WorkspaceClient:
    settings = stack.settings
    return WorkspaceClient(host=settings.databricks_url, token=settings.databricks_token.get_secret_value())


@pytest.fixture(scope="module")
def ledgers(stack: Stack) -> Mapping[str, Path]:
    """What was acknowledged on each path."""
    found = {"batch": stack.folder / "ledger.jsonl", "streaming": stack.folder / "streaming-ledger.jsonl"}
    for mode, ledger in found.items():
        if not ledger.exists():
            stack.run("emulator", mode, "--posts", "3000", "--batch-size", "100", "--ledger", str(ledger))
    return found


def outcome(
    stack: Stack, client: WorkspaceClient, notebook: str, **parameters: str
) -> tuple[RunResultState | None, RunOutput]:
    """How the notebook's run ended, and what it gave."""
    task = SubmitTask(
        task_key="notebook",
        existing_cluster_id=stack.settings.databricks_cluster_id,
        notebook_task=NotebookTask(notebook_path=notebook, base_parameters=parameters),
    )
    submitted = client.jobs.submit(run_name=notebook, tasks=[task])

    def has_ended() -> bool:
        return bool(client.jobs.get_run(submitted.run_id).end_time)

    # The SDK itself looks less often with every time.
    wait_until(has_ended, PATIENCE.total_seconds(), lambda: AssertionError(f"{notebook} does not end"), every=0.5)
    run = submitted.result(PATIENCE)
    assert run.state
    assert run.tasks
    return run.state.result_state, client.jobs.get_run_output(run.tasks[0].run_id or 0)


def result(stack: Stack, client: WorkspaceClient, notebook: str, **parameters: str) -> str:
    """What the notebook exits with."""
    state, output = outcome(stack, client, notebook, **parameters)
    assert state is RunResultState.SUCCESS, output.error
    assert output.notebook_output
    return output.notebook_output.result or ""


def test_the_bucket_is_mounted_once_and_for_all(stack: Stack, client: WorkspaceClient) -> None:
    for credentials in ("secrets", "instance profile"):
        mounted = result(stack, client, "/mount_s3_bucket", credentials=credentials)
        assert mounted == f"/mnt/{stack.settings.bucket}"


def test_the_batch_notebooks_answers_are_the_oracles(
    stack: Stack, client: WorkspaceClient, ledgers: Mapping[str, Path]
) -> None:
    settings = stack.settings
    test_batch_path.wait_for_the_lake(settings)
    found = json.loads(result(stack, client, "/pinterest_batch_data"))
    posted = {entry.index for entry in test_batch_path.acknowledged(ledgers["batch"])}
    assert found["rows"] == {frame: len(posted) for frame in FRAMES}
    rows = test_batch_path.posted_rows(settings, posted)
    expected = answers(rows["pin"], rows["geo"], rows["user"])
    assert set(found["answers"]) == set(ANSWERS)
    for name, oracle in expected.items():
        answer = pa.Table.from_pylist(found["answers"][name])
        assert answer.num_rows > 0
        assert compare(answer, oracle) == []


def test_the_streaming_notebooks_tables_are_the_ledgers(
    stack: Stack, client: WorkspaceClient, ledgers: Mapping[str, Path]
) -> None:
    """In a folder of its own in the mounted bucket, beside the streaming job, which is always on."""
    settings, ledger = stack.settings, ledgers["streaming"]
    assert len(test_streaming_path.acknowledged(ledger)) > 5000, "too little was sent for this test to mean anything"
    mounted = result(stack, client, "/mount_s3_bucket")
    parameters = {"lake": f"{mounted}/notebook", "trigger": "what is there"}
    found = json.loads(result(stack, client, "/pinterest_streaming_data", **parameters))
    for frame in FRAMES:
        held = test_batch_path.frame_table(settings, f"notebook/streaming/{settings.table(frame)}")
        places = {row["ind"]: (row["source_shard"], row["source_sequence"]) for row in held}
        assert len(held) == found[frame] == len(places)
        assert places == test_streaming_path.last_places(ledger, frame)


def test_a_notebook_that_fails_says_why(stack: Stack, client: WorkspaceClient) -> None:
    state, output = outcome(stack, client, "/pinterest_authenticate_aws", credentials="table")
    assert state is RunResultState.FAILED
    assert "There is no table dbfs:/user/hive/warehouse/authentication_credentials" in (output.error or "")
