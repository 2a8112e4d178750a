"""`display`: what a notebook shows, as text in the run's log."""

from typing import Any

from pyspark.sql import DataFrame

from databricks_jobs.notebooks.errors import UnsupportedError

ROWS = 20


def display(shown: Any) -> None:
    """The first rows of a DataFrame, an entry of a list a line, anything else as it prints. Raises `UnsupportedError` for a stream."""
    if isinstance(shown, DataFrame):
        if shown.isStreaming:
            raise UnsupportedError("A stream cannot be displayed here: write it to a table, and display that.")
        shown.show(ROWS)
    elif isinstance(shown, list):
        print(*shown, sep="\n")
    else:
        print(shown)
