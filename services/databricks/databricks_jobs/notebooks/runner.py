"""Runs a notebook: its cells one after the other, in one namespace, with `spark`, `dbutils` and `display` at hand."""

import signal
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession

from databricks_jobs.notebooks.dbfs import Dbfs
from databricks_jobs.notebooks.dbutils import DBUtils, NotebookExit
from databricks_jobs.notebooks.display import display
from databricks_jobs.notebooks.errors import NotFoundError, SourceError, TimedOutError, UnsupportedError
from databricks_jobs.notebooks.source import Kind, cells


class Runner:
    """Runs the notebooks of a workspace, which is the folder `root`: `/a/b` is its file `a/b.py`. `secrets` are each scope's."""

    def __init__(self, root: Path, spark: SparkSession, dbfs: Dbfs, secrets: Mapping[str, Mapping[str, str]]) -> None:
        self._root = root.resolve()
        self._spark = spark
        self._dbfs = dbfs
        self._secrets = secrets

    def run(self, path: str, parameters: Mapping[str, str]) -> str | None:
        """Gives what the notebook exits with, None if it just ends. Raises `NotebookError`, and whatever the notebook raises."""
        file = self._file(path, self._root)
        sys.path[0] = str(file.parent)  # on Databricks, too, a notebook finds modules that stand beside it
        return self._run(file, self._spark, parameters)

    def _run(self, file: Path, spark: SparkSession, parameters: Mapping[str, str]) -> str | None:
        dbutils = DBUtils(self._dbfs, self._secrets, parameters, partial(self._run_another, file.parent))
        namespace = {"__name__": "__main__", "spark": spark, "dbutils": dbutils, "display": display}
        try:
            self._execute(file, namespace, including=())
        except NotebookExit as end:
            return end.value
        return None

    def _run_another(self, beside: Path, path: str, seconds: float, parameters: Mapping[str, str]) -> str | None:
        """As a run of its own: another namespace, another session, nothing shared but the cluster."""
        file = self._file(path, beside)
        with _within(seconds, path):
            return self._run(file, self._spark.newSession(), parameters)

    def _execute(self, file: Path, namespace: dict[str, Any], including: tuple[Path, ...]) -> None:
        if file in including:
            raise SourceError(f"{self._name(file)} includes itself by %run.")
        try:
            found = cells(file.read_text())
        except SourceError as error:
            raise SourceError(f"{self._name(file)}: {error}") from None
        for cell in found:
            match cell.kind:
                case Kind.PYTHON:
                    # Blank lines before it, so that a traceback names the file's own.
                    exec(compile("\n" * (cell.line - 1) + cell.text, file, "exec"), namespace)
                case Kind.RUN:
                    self._execute(self._file(cell.text, file.parent), namespace, (*including, file))
                case Kind.MARKDOWN:
                    pass

    def _file(self, path: str, beside: Path) -> Path:
        folder = self._root if path.startswith("/") else beside
        file = (folder / f"{path.lstrip('/')}.py").resolve()
        if not file.is_relative_to(self._root) or not file.is_file():
            known = ", ".join(sorted(self._name(one) for one in self._root.rglob("*.py")))
            raise NotFoundError(f"Unable to access the notebook {path!r}. This workspace has: {known}.")
        return file

    def _name(self, file: Path) -> str:
        return f"/{file.relative_to(self._root).with_suffix('')}"


@contextmanager
def _within(seconds: float, path: str) -> Iterator[None]:
    """Raises `TimedOutError` when the time is over, 0 seconds being for ever."""
    if not seconds:
        yield
        return
    if threading.current_thread() is not threading.main_thread():
        raise UnsupportedError("A time limit for notebooks that run side by side is not supported here: give 0.")

    def end(*_: object) -> None:
        raise TimedOutError(f"The notebook {path!r} was not done within {seconds:g} s.")

    handler = signal.signal(signal.SIGALRM, end)
    left, _ = signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, left)
        signal.signal(signal.SIGALRM, handler)
