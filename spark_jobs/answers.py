"""The ten answers as Delta tables."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from pyspark.sql import DataFrame

from settings import Frame
from spark_jobs.cleaning import COLUMNS
from spark_jobs.paths import Lake
from spark_jobs.questions import QUESTIONS

_AT_ONCE = 4
"""Small questions are mostly waiting for S3."""


def write_answers(tables: Mapping[Frame, DataFrame], lake: Lake) -> dict[str, int]:
    """Answer every question from the same state of the tables. Gives the number of rows of each answer."""
    frames = {frame: table.select(*COLUMNS[frame]).persist() for frame, table in tables.items()}

    def write(name: str) -> int:
        answer = QUESTIONS[name](frames["pin"], frames["geo"], frames["user"]).persist()
        # One file, in the answer's order: the readers show it as it stands there.
        answer.coalesce(1).write.format("delta").mode("overwrite").option("overwriteSchema", True).save(
            lake.answer(name)
        )
        rows = answer.count()
        answer.unpersist()
        return rows

    with ThreadPoolExecutor(_AT_ONCE) as threads:
        written = dict(zip(QUESTIONS, threads.map(write, QUESTIONS), strict=True))
    # The driver may outlive this job, and with it what it holds for it.
    for frame in frames.values():
        frame.unpersist()
    return written
