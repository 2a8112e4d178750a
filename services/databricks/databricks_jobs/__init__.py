"""Databricks' Jobs API (`runs/submit`, `get`, `get-output`, `cancel`, `list`; 2.0 to 2.2) in front of the local Spark cluster.

It is one all-purpose cluster: a Spark driver that stays up, so that a run costs what it computes and not a driver's start. Each task
runs in a Python process of its own that is attached to that driver, as a notebook's or a job's is on Databricks.
"""
