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
# No log server: whoever reads a task's log through the API server reads it from this very disk.
airflow scheduler --skip-serve-logs &

stop() {
  # shellcheck disable=SC2046 # one process id a word
  kill $(jobs -p) 2>/dev/null
  wait
}
trap 'stop; exit 0' TERM INT
set +e
wait -n
echo "One of Airflow's parts has ended with exit code $?; the others are stopped for all to start anew." >&2
stop
exit 1
