#!/bin/sh
# What it exports, MWAA gives to every part of Airflow. The settings themselves come in plugins.zip.
export PIPELINE_ENV=aws
