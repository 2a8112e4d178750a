"""What Spark reports of each streaming query, kept in the lake for whoever wants to watch: `streaming/progress/<query>.jsonl`.

The last reports of a query, one JSON object a line, the newest last; written anew with every report. The newest has an `alarm`, a sentence,
as long as too many of the latest records were rejected.
"""

import json
import sys
from collections import deque
from collections.abc import Mapping, Sequence
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
from spark_jobs.limit import Limit
from spark_jobs.paths import PROGRESS

KEPT = 200
"""Reports of each query."""


def arrivals(records: DataFrame) -> DataFrame:
    """The same records, with the last one's arrival in every report."""
    return records.observe("arrivals", F.max("arrived_at").alias("last"))


def alarm(reports: Sequence[Mapping[str, Any]], limit: Limit) -> str | None:
    """A sentence, if too many of the latest records were rejected. `reports` has the newest last.

    Judged are the newest reports that together have records enough to judge by, or all that are kept. So an alarm is raised within as few
    records as the limit allows, however few a batch has; it is over once as many better ones have come, and a restart changes nothing.
    """
    read = rejected = 0
    for report in reversed(reports):
        read += report["records"]
        rejected += report.get("rejected", 0)  # reports of an earlier release have none
        if read >= limit.enough:
            break
    if not limit.is_passed(read, rejected):
        return None
    return (
        f"Of the latest records, {limit.told(read, rejected)}. They are in quarantine: `make quarantine` says why. If the cleaning is wrong, mend "
        "it in spark_jobs/cleaning.py, then `docker compose restart spark-streaming` and `make replay`; if the records are, raise "
        "QUARANTINE_MAX_SHARE. The alarm is over when enough good records have come."
    )


class ProgressLog(StreamingQueryListener):
    """Writes the reports. That it cannot write is said, and stops nothing.

    `rejected` is how many records the batch of that query and number has put into quarantine, which Spark does not know; the query enters
    it before the batch is reported.
    """

    def __init__(self, settings: Settings, rejected: dict[tuple[str, int], int]) -> None:
        impatient = Config(connect_timeout=2, read_timeout=5, retries={"total_max_attempts": 1})
        self._s3 = boto3.client("s3", config=impatient, **settings.client_options("s3"))
        self._bucket = settings.bucket
        self._limit = Limit.of(settings)
        self._rejected = rejected
        self._reports: dict[str, deque[dict[str, Any]]] = {frame: deque(self._kept(frame), KEPT) for frame in FRAMES}

    def onQueryStarted(self, event: QueryStartedEvent) -> None:  # noqa: N802  (Spark's names)
        pass

    def onQueryProgress(self, event: QueryProgressEvent) -> None:  # noqa: N802
        progress = event.progress
        last = progress.observedMetrics.get("arrivals")
        report = {
            "timestamp": progress.timestamp,
            "batch": progress.batchId,
            "records": progress.numInputRows,
            "rejected": self._rejected.pop((str(progress.name), progress.batchId), 0),
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
        before = reports[-1].pop("alarm", None) if reports else None
        reports.append(report)
        report["alarm"] = alarm(reports, self._limit)
        if report["alarm"] and not before:
            print(f"ALARM: {query}: {report['alarm']}", flush=True)
        elif before and not report["alarm"]:
            print(f"{query}: the alarm is over.", flush=True)
        body = "\n".join(map(json.dumps, reports)).encode()
        try:
            self._s3.put_object(Bucket=self._bucket, Key=PROGRESS.format(query), Body=body)
        except (BotoCoreError, ClientError) as error:
            print(f"{query}: the progress report could not be kept: {error}", file=sys.stderr, flush=True)

    def _kept(self, frame: str) -> list[dict[str, Any]]:
        try:
            body = self._s3.get_object(Bucket=self._bucket, Key=PROGRESS.format(frame))["Body"]
            return [json.loads(line) for line in body.read().decode().splitlines()]
        except (BotoCoreError, ClientError):
            return []
