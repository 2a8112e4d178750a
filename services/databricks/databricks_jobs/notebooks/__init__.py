"""Notebooks as Databricks runs them: the source format, `dbutils`, `display`, and DBFS with its mounts, on the local cluster.

`source` takes a notebook apart and `mounts` says what a mount is (both pure), `dbfs` is the file system, `dbutils` what a notebook calls,
and `runner` runs it. What the local stand-in lacks it refuses with a sentence.
"""
