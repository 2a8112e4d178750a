"""`python -m databricks_jobs --runs …`: start the cluster and serve until SIGTERM, or until the cluster is lost.

It ends with the cluster, so that the restart policy brings up both: what was under way has then ended with INTERNAL_ERROR.
"""

import argparse
import os
import sys
import threading
import time
from pathlib import Path

import uvicorn

from databricks_jobs.app import create_app
from databricks_jobs.cluster import Cluster
from databricks_jobs.execution import Execution
from databricks_jobs.runs import Runs
from settings import Settings, SettingsError
from spark_jobs.paths import Lake

LOOK_S = 2.0


def _end_with(cluster: Cluster) -> None:
    while cluster.is_alive:
        time.sleep(LOOK_S)
    print("The cluster's driver has ended or was stopped. This ends too, to start anew.", file=sys.stderr, flush=True)
    os._exit(1)


def main() -> None:
    """Ends with a sentence if the settings cannot be used."""
    parser = argparse.ArgumentParser(prog="databricks_jobs")
    parser.add_argument("--runs", type=Path, required=True, help="the folder of the runs' states and logs")
    parser.add_argument("--workspace", type=Path, required=True, help="the folder of the notebooks")
    parser.add_argument("--mounts", type=Path, required=True, help="the folder of the buckets' mounts")
    parser.add_argument("--python", required=True, help="the interpreter of the tasks; the workers' twin")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--at-once", type=int, default=3, help="runs at a time")
    options = parser.parse_args()
    try:
        settings = Settings.load()
    except SettingsError as error:
        sys.exit(str(error))
    if not settings.databricks_token.get_secret_value():
        sys.exit("DATABRICKS_TOKEN is not set, and without it everybody could run code here.")
    runs = Runs(options.runs)
    cluster = Cluster(settings, options.mounts, f"{Lake.of(settings).root}/dbfs")
    threading.Thread(target=_end_with, args=(cluster,), daemon=True).start()
    app = create_app(
        runs,
        Execution(runs, cluster, options.python, options.workspace, options.mounts, options.at_once),
        cluster,
        settings.databricks_cluster_id,
        settings.databricks_token,
        settings.databricks_public_url,
    )
    uvicorn.run(app, host="0.0.0.0", port=options.port, access_log=False, server_header=False, log_level="warning")
    # Without waiting for the runs that are under way: they end with the container.
    os._exit(0)


main()
