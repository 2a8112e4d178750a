#!/bin/sh
# LocalStack runs this at every start. It has forgotten the resources by then (all but the Kinesis streams), so they are put back.
exec /opt/localstack/bin/python /opt/pipeline/localstack/deploy.py
