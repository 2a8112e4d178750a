"""Runs as they are kept."""

from pathlib import Path

import pytest
from databricks_jobs import runs
from databricks_jobs.errors import InvalidParameterError
from databricks_jobs.runs import LifeCycle, Result, Runs
from databricks_jobs.submission import Submission, parse

ONE: Submission = parse(
    {"existing_cluster_id": "local", "spark_python_task": {"python_file": "/x.py"}}, cluster_id="local"
)


def test_what_was_under_way_when_the_cluster_died_has_failed_when_it_is_back(tmp_path: Path) -> None:
    before = Runs(tmp_path)
    under_way, _ = before.add(ONE)
    under_way.tasks[0].begin()
    before.save(under_way)
    done, _ = before.add(ONE)
    done.tasks[0].end(Result.SUCCESS)
    before.save(done)

    after = Runs(tmp_path)
    state = after.get(under_way.run_id)[0].state
    assert (state.life_cycle_state, state.result_state) == (LifeCycle.INTERNAL_ERROR, Result.FAILED)
    assert "restarted" in state.state_message
    assert after.get(done.run_id)[0].state.result_state == Result.SUCCESS
    new, _ = after.add(ONE)
    assert new.run_id > done.tasks[0].run_id


def test_the_oldest_of_too_many_are_forgotten_with_their_logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "KEPT", 2)
    kept = Runs(tmp_path)
    ids = []
    for _ in range(4):
        run, _ = kept.add(ONE)
        kept.log(run.tasks[0]).write_text("said")
        run.tasks[0].end(Result.SUCCESS)
        kept.save(run)
        ids.append(run.run_id)
    kept.add(ONE)
    assert len(list(tmp_path.glob("*.log"))) == 2
    with pytest.raises(InvalidParameterError, match="does not exist"):
        kept.get(ids[0])
    assert kept.get(ids[-1])
