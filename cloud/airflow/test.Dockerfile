# What the packaged DAG is tested in: laid out as MWAA lays it out, with the packages of its requirements.txt. The context is build/mwaa.
ARG BASE_IMAGE=pinterest/base
FROM ${BASE_IMAGE}
USER root
WORKDIR /usr/local/airflow
COPY requirements.txt ./
COPY dags/constraints.txt dags/
RUN uv venv --quiet /opt/mwaa && uv pip install --quiet --no-cache --python /opt/mwaa/bin/python -r requirements.txt pytest
COPY . .
RUN python3 -m zipfile -e plugins.zip plugins
# As on MWAA, plugins are on the path.
ENV PYTHONPATH=/usr/local/airflow/plugins
USER pipeline
