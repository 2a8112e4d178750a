"""The routes, in Databricks' forms."""

import secrets
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter, Body, Depends, FastAPI, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import SecretStr

from databricks_jobs.errors import DatabricksError, InvalidParameterError, InvalidTokenError, NoCredentialError
from databricks_jobs.execution import Execution
from databricks_jobs.runs import Result, Run, Runs, State, TaskRun
from databricks_jobs.submission import parse

if TYPE_CHECKING:  # Spark is the cluster's business
    from databricks_jobs.cluster import Cluster

MAX_OUTPUT = 5 * 1024 * 1024
"""The most that `get-output` gives, in bytes: of a task's log what came last, of a notebook's result what comes first (Databricks' own limit)."""

AS_IT_STANDS = {"X-Content-Type-Options": "nosniff"}
"""For text that a job wrote: no browser shall take it for a page."""

RunId = Annotated[int, Query()]


async def _known_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, DatabricksError)
    return JSONResponse({"error_code": error.error_code, "message": error.message}, error.status)


async def _bad_request(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    faults = "; ".join(f"{fault['loc'][-1]}: {fault['msg']}" for fault in error.errors())
    return await _known_error(request, InvalidParameterError(faults))


def create_app(
    runs: Runs, execution: Execution, cluster: "Cluster", cluster_id: str, token: SecretStr, public_url: str
) -> FastAPI:
    """The application. `public_url` is where a person's browser reaches it."""

    def check_token(
        given: Annotated[HTTPAuthorizationCredentials | None, Depends(HTTPBearer(auto_error=False))],
    ) -> None:
        if given is None:
            raise NoCredentialError("Credential was not sent or was of an unsupported type for this API.")
        if not secrets.compare_digest(given.credentials.encode(), token.get_secret_value().encode()):
            raise InvalidTokenError("Invalid access token.")

    jobs = APIRouter(prefix="/api/{version}/jobs/runs", dependencies=[Depends(check_token)])

    def page(run_id: int) -> str:
        return f"{public_url}/runs/{run_id}"

    @jobs.post("/submit")
    def submit(version: Literal["2.0", "2.1", "2.2"], body: Annotated[Any, Body()]) -> dict[str, int]:
        run, is_new = runs.add(parse(body, cluster_id))
        if is_new:
            execution.start(run)
        return {"run_id": run.run_id}

    @jobs.get("/get")
    def get(run_id: RunId) -> dict[str, Any]:
        run, task = runs.get(run_id)
        return _task(task, cluster_id, page) if task else _run(run, cluster_id, page)

    @jobs.get("/list")
    def newest(limit: Annotated[int, Query(ge=1, le=100)] = 20) -> dict[str, Any]:
        return {"runs": [_run(run, cluster_id, page) for run in runs.newest(limit)], "has_more": False}

    @jobs.get("/get-output")
    def get_output(run_id: RunId) -> dict[str, Any]:
        run, task = runs.get(run_id)
        if task is None:
            if len(run.tasks) > 1:
                raise InvalidParameterError(
                    "Retrieving the output of runs with multiple tasks is not supported: ask for each task's run."
                )
            task = run.tasks[0]
        output = {"metadata": _task(task, cluster_id, page), **_output(runs, task)}
        if task.state.result_state not in (None, Result.SUCCESS):
            output["error"] = task.state.state_message
        return output

    @jobs.post("/cancel")
    def cancel(run_id: Annotated[int, Body(embed=True)]) -> dict[str, str]:
        execution.cancel(runs.get(run_id)[0])
        return {}

    app = FastAPI(title="Databricks Jobs, locally", openapi_url=None)
    app.add_exception_handler(DatabricksError, _known_error)
    app.add_exception_handler(RequestValidationError, _bad_request)
    app.include_router(jobs)

    @app.get("/")
    def overview() -> PlainTextResponse:
        """For a person: the newest runs."""
        lines = [f"{page(run.run_id)}  {run.run_name}: {_sentence(run.state)}" for run in runs.newest(100)]
        return PlainTextResponse("\n".join([*lines, ""]), headers=AS_IT_STANDS)

    @app.get("/runs/{run_id}")
    def log(run_id: int) -> PlainTextResponse:
        """For a person, from Airflow's link: what the run's tasks wrote."""
        run, one = runs.get(run_id)
        parts = [
            f"{task.task.task_key}: {_sentence(task.state)}\n\n{_tail(runs, task)[0]}"
            for task in ([one] if one else run.tasks)
        ]
        return PlainTextResponse("\n".join(parts), headers=AS_IT_STANDS)

    @app.get("/healthz")
    def health() -> JSONResponse:
        return JSONResponse(
            {"cluster": "RUNNING"} if cluster.is_alive else {"cluster": "ERROR"}, 200 if cluster.is_alive else 503
        )

    return app


def _sentence(state: State) -> str:
    return " ".join(filter(None, (state.life_cycle_state, state.result_state, state.state_message)))


def _output(runs: Runs, task: TaskRun) -> dict[str, Any]:
    """What `get-output` gives of each kind of task; of a notebook no log (on Databricks that is the notebook itself, here its page)."""
    if task.task.spark_python_task:
        logs, truncated = _tail(runs, task)
        return {"logs": logs, "logs_truncated": truncated}
    file = runs.result(task)
    if not file.exists():
        return {"notebook_output": {}}
    result = file.read_bytes()
    kept = result[:MAX_OUTPUT].decode(errors="ignore")
    return {"notebook_output": {"result": kept, "truncated": len(result) > MAX_OUTPUT}}


def _tail(runs: Runs, task: TaskRun) -> tuple[str, bool]:
    file = runs.log(task)
    if not file.exists():
        return "", False
    size = file.stat().st_size
    with file.open("rb") as log:
        log.seek(max(0, size - MAX_OUTPUT))
        return log.read().decode(errors="replace"), size > MAX_OUTPUT


def _run(run: Run, cluster_id: str, page: Any) -> dict[str, Any]:
    return {
        "job_id": run.run_id,
        "run_id": run.run_id,
        "run_name": run.run_name,
        "run_type": "SUBMIT_RUN",
        "state": run.state.model_dump(exclude_none=True),
        "start_time": run.start_time,
        "end_time": run.end_time,
        "run_page_url": page(run.run_id),
        "tasks": [_task(task, cluster_id, page) for task in run.tasks],
    }


def _task(task: TaskRun, cluster_id: str, page: Any) -> dict[str, Any]:
    return {
        **task.task.model_dump(
            include={"task_key", "depends_on", "spark_python_task", "notebook_task", "existing_cluster_id"},
            exclude_none=True,
        ),
        "run_id": task.run_id,
        "attempt_number": 0,
        "cluster_instance": {"cluster_id": cluster_id},
        "state": task.state.model_dump(exclude_none=True),
        "start_time": task.start_time,
        "end_time": task.end_time,
        "run_page_url": page(task.run_id),
    }
