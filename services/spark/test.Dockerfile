# What the unit tests of spark_jobs run in: the image itself, and the lock file's dev group.
ARG SPARK_IMAGE=pinterest/spark
FROM ${SPARK_IMAGE}
USER root
WORKDIR /build
COPY pyproject.toml uv.lock ./
RUN uv export --quiet --frozen --no-emit-project --only-dev -o requirements.txt \
 && uv pip install --quiet --no-cache --python /opt/spark/bin/python -r requirements.txt
USER pipeline
WORKDIR /opt/pipeline
