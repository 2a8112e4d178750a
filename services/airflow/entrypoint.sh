#!/bin/bash
# Brings Airflow's database up to date and runs its parts. When one of them ends, all end, so that the restart policy heals it:
# a container whose scheduler had died would look alive. There is no triggerer, because nothing here defers.
set -euo pipefail
umask 077
/opt/airflow/bin/python -c 'import json, os; print(json.dumps({os.environ["AIRFLOW_USER"]: os.environ["AIRFLOW_PASSWORD"]}))' \
  >"$AIRFLOW_HOME/passwords.json"

airflow db migrate

airflow api-server &
airflow dag-processor &
airflow scheduler &

# shellcheck disable=SC2046 # one process id a word
trap 'kill $(jobs -p); wait; exit 0' TERM INT
code=0
wait -n || code=$?
echo "One of Airflow's parts has ended with exit code $code, so the container ends too, to start anew." >&2
exit 1
