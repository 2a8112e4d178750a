# What the packaged DAG is tested in: laid out as MWAA lays it out, with the packages of its requirements.txt. The context is the bundle.
ARG BASE_IMAGE=pinterest/base
FROM ${BASE_IMAGE}
WORKDIR /usr/local/airflow
ENV AIRFLOW_HOME=/usr/local/airflow
COPY requirements.txt ./
COPY dags/constraints.txt dags/
RUN uv venv --quiet /opt/mwaa \
 && uv pip install --quiet --no-cache --compile-bytecode --python /opt/mwaa/bin/python -r requirements.txt pytest
COPY . .
RUN python3 -m zipfile -e plugins.zip plugins
USER pipeline
