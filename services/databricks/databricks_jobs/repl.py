"""A Python file's process: attach to the cluster's driver, then run the task's file as if it had started Spark itself.

    python repl.py <tag> <file> [<argument> …]

The gateway is in the environment (see cluster.py). The file gets a session of its own: its settings and temporary views are no other task's.
"""

import runpy
import sys
from pathlib import Path

from pyspark import SparkConf, SparkContext
from pyspark.java_gateway import launch_gateway
from pyspark.sql import SparkSession


def attach(tag: str) -> SparkSession:
    """Make the driver's context, and a new session on it, what `SparkSession.builder.getOrCreate()` finds. Gives that session."""
    gateway = launch_gateway()  # type: ignore[no-untyped-call]
    java_session = gateway.jvm.SparkSession.getDefaultSession().get().newSession()
    java_context = gateway.jvm.JavaSparkContext(java_session.sparkContext())
    context = SparkContext(gateway=gateway, jsc=java_context, conf=SparkConf(_jconf=java_context.getConf()))
    context.addJobTag(tag)
    return SparkSession(context, java_session)


if __name__ == "__main__":
    tag, file, *arguments = sys.argv[1:]
    attach(tag)
    sys.argv = [file, *arguments]
    sys.path[0] = str(Path(file).parent)  # as Python has it for a script; now it is this one's folder
    runpy.run_path(file, run_name="__main__")
