"""What Airflow makes of the folders in AIRFLOW_HOME, as JSON in its last line. Run by test_bundle.py in a process of its own."""

import json
import sys

from airflow.configuration import conf
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk import BaseHook
from airflow.serialization.serialized_objects import DagSerialization

from airflow import plugins_manager

bag = DagBag(conf.get("core", "dags_folder"))
plugins_manager.ensure_plugins_loaded()
databricks = BaseHook.get_connection("databricks")
read = {
    "errors": bag.import_errors | plugins_manager.get_import_errors(),
    "dags": {name: DagSerialization.to_dict(dag)["dag"] for name, dag in bag.dags.items()},
    "settings": sys.modules["settings"].__file__,
    "connection": [databricks.conn_type, databricks.host, databricks.password],
}
print(json.dumps(read))
