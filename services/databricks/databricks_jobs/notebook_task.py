"""A notebook task's process: attach to the cluster's driver, run the notebook, and keep what it exits with.

    python -m databricks_jobs.notebook_task <the order as JSON>

The gateway is in the environment (see cluster.py).
"""

import json
import sys
import traceback
from pathlib import Path
from typing import Any

from databricks_jobs.notebooks.dbfs import Dbfs
from databricks_jobs.notebooks.errors import NotebookError
from databricks_jobs.notebooks.runner import Runner
from databricks_jobs.repl import attach
from databricks_jobs.settings import secrets
from settings import Settings

HERE = str(Path(__file__).parent)


def main(order: dict[str, Any]) -> int:
    """`order` holds `tag`, `path`, `parameters`, `workspace`, `mounts` and `result`, the file for what the notebook exits with.

    Gives the process's exit code; the last line that was written then says why.
    """
    spark = attach(order["tag"])
    dbfs = Dbfs(spark._jvm, spark.sparkContext._jsc.hadoopConfiguration(), Path(order["mounts"]))
    runner = Runner(Path(order["workspace"]), spark, dbfs, secrets(Settings.load()))
    try:
        result = runner.run(order["path"], order["parameters"])
    except NotebookError as error:
        print(f"{type(error).__name__}: {error}", flush=True)
        return 1
    except Exception as error:  # noqa: BLE001  # a notebook's own; told without what is ours
        told = error.__traceback__
        while told and told.tb_frame.f_code.co_filename.startswith(HERE):
            told = told.tb_next
        traceback.print_exception(type(error), error, told, file=sys.stdout)
        if "\n" in str(error).strip():  # Spark's messages end with Java's stack
            print(f"{type(error).__name__}: {str(error).strip().splitlines()[0]}")
        return 1
    if result is not None:
        Path(order["result"]).write_text(result)
    return 0


if __name__ == "__main__":
    sys.exit(main(json.loads(sys.argv[1])))
