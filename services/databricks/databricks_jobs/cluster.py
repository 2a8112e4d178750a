"""The cluster: a Spark driver that stays up, and the gateways by which other Python processes use it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pyspark import SparkContext

from databricks_jobs.notebooks.dbfs import Dbfs
from settings import Settings
from spark_jobs.session import session

NAME = "pinterest cluster"


class Cluster:
    """The driver runs in this process's child and ends with it."""

    def __init__(self, settings: Settings, mounts: Path, root: str) -> None:
        """Start the driver, with DBFS on it. Blocks until its executors can be asked for.

        `mounts` is the folder of what is mounted into DBFS, `root` the folder, as Hadoop names it, of what is not.
        """
        self._spark = session(settings, NAME)
        self._context = self._spark.sparkContext
        Dbfs(self._spark._jvm, self._context._jsc.hadoopConfiguration(), mounts).start(root)

    @property
    def is_alive(self) -> bool:
        """Whether runs can still be served: the driver's JVM is there, and its context was not stopped, by a job or by the master."""
        gateway = SparkContext._gateway
        return gateway is not None and gateway.proc.poll() is None and not self._context._jsc.sc().isStopped()

    @contextmanager
    def gateway(self) -> Iterator[dict[str, str]]:
        """A way into the driver for one Python process, as environment variables that pyspark reads.

        One each, because a gateway calls back (`foreachBatch`) only to the process that used it last.
        """
        server = self._spark._jvm.org.apache.spark.api.python.Py4JServer(self._context._jsc.getConf())
        server.start()
        try:
            yield {
                "PYSPARK_GATEWAY_PORT": str(server.getListeningPort()),
                "PYSPARK_GATEWAY_SECRET": server.secret(),
            }
        finally:
            server.shutdown()

    def cancel(self, tag: str) -> None:
        """Stop what Spark does for the process that put this tag on its jobs."""
        self._context.cancelJobsWithTag(tag)
