"""What Spark reports of each streaming query, kept in the lake for whoever wants to watch: `streaming/progress/<query>.jsonl`.

The last reports of a query, one JSON object a line, the newest last; written anew with every report.
"""

import json
import sys
from collections import deque
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812
from pyspark.sql.streaming.listener import (
    QueryIdleEvent,
    QueryProgressEvent,
    QueryStartedEvent,
    QueryTerminatedEvent,
    StreamingQueryListener,
)

from settings import FRAMES, Settings
from spark_jobs.paths import PROGRESS

KEPT = 200
"""Reports of each query."""


def arrivals(records: DataFrame) -> DataFrame:
    """The same records, with the last one's arrival in every report."""
    return records.observe("arrivals", F.max("arrived_at").alias("last"))


class ProgressLog(StreamingQueryListener):
    """Writes the reports. That it cannot write is said, and stops nothing."""

    def __init__(self, settings: Settings) -> None:
        impatient = Config(connect_timeout=2, read_timeout=5, retries={"total_max_attempts": 1})
        self._s3 = boto3.client("s3", config=impatient, **settings.client_options("s3"))
        self._bucket = settings.bucket
        self._reports: dict[str, deque[str]] = {frame: deque(self._kept(frame), KEPT) for frame in FRAMES}

    def onQueryStarted(self, event: QueryStartedEvent) -> None:  # noqa: N802  (Spark's names)
        pass

    def onQueryProgress(self, event: QueryProgressEvent) -> None:  # noqa: N802
        progress = event.progress
        last = progress.observedMetrics.get("arrivals")
        report = {
            "timestamp": progress.timestamp,
            "batch": progress.batchId,
            "records": progress.numInputRows,
            "records_in_per_second": progress.inputRowsPerSecond,
            "records_out_per_second": progress.processedRowsPerSecond,
            "milliseconds": progress.durationMs,
            "last_arrival": last.last.isoformat() if last and last.last else None,
        }
        self._keep(str(progress.name), report)

    def onQueryIdle(self, event: QueryIdleEvent) -> None:  # noqa: N802
        pass

    def onQueryTerminated(self, event: QueryTerminatedEvent) -> None:  # noqa: N802
        pass

    def _keep(self, query: str, report: dict[str, Any]) -> None:
        reports = self._reports[query]
        reports.append(json.dumps(report))
        try:
            self._s3.put_object(Bucket=self._bucket, Key=PROGRESS.format(query), Body="\n".join(reports).encode())
        except (BotoCoreError, ClientError) as error:
            print(f"{query}: the progress report could not be kept: {error}", file=sys.stderr, flush=True)

    def _kept(self, frame: str) -> list[str]:
        try:
            body = self._s3.get_object(Bucket=self._bucket, Key=PROGRESS.format(frame))["Body"]
            return str(body.read().decode()).splitlines()
        except (BotoCoreError, ClientError):
            return []
