# Every command is `python -m stack <command>`; this file only names them and makes the environment that they run in.
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help
PYTHON ?= python3
RUN := .venv/bin/python -m

MODE ?= batch
POSTS ?=
RATE ?=

.PHONY: help
help: ## this list
	@echo "The Pinterest data pipeline, on this machine. In a hurry: make demo"
	@echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# uv asks the mirror that pip would, and trusts what the machine trusts.
.venv/.run .venv/.test: export UV_SYSTEM_CERTS = true
ifdef PIP_INDEX_URL
.venv/.run .venv/.test: export UV_DEFAULT_INDEX ?= $(PIP_INDEX_URL)
endif

.venv/.run: pyproject.toml uv.lock stack/bootstrap.py
	@$(PYTHON) stack/bootstrap.py run

.venv/.test: .venv/.run
	@$(PYTHON) stack/bootstrap.py test

.PHONY: up audit drill status stream-status demo emulate batch answers quarantine replay logs down reset deploy check-cloud mwaa-package destroy
.PHONY: doctor test lint
up: .venv/.run ## build and start everything, wait until it is healthy, print where it is
	@$(RUN) stack up

demo: .venv/.run ## up, 3,000 posts down both paths, the daily run, the eight answers
	@$(RUN) stack demo

emulate: .venv/.run ## send posts: MODE=batch|streaming|both POSTS=1000 RATE=50 ARGS='--batch-size 50'
	@$(RUN) emulator $(MODE) $(if $(POSTS),--posts $(POSTS)) $(if $(RATE),--rate $(RATE)) $(ARGS)

batch: .venv/.run ## run the daily batch in Airflow now, and follow it
	@$(RUN) stack batch $(ARGS)

answers: .venv/.run ## print the eight answers
	@$(RUN) stack answers

audit: .venv/.run ## follow every acknowledged record, hop by hop: nothing lost, nothing twice
	@$(RUN) audit $(ARGS)

drill: .venv/.run ## break the running stack under load, part after part, and audit: NAME=broker-killed for one
	@$(RUN) drills $(NAME) $(ARGS)

quarantine: .venv/.run ## why records were rejected, how many, and some of them
	@$(RUN) stack quarantine

replay: .venv/.run ## after a fix of the cleaning: send what is in quarantine through it again
	@$(RUN) stack replay

status: .venv/.run ## each service, topic, connector, object count and table
	@$(RUN) stack status

stream-status: .venv/.run ## each stream: records/s, how far behind, its table, its quarantine
	@$(RUN) stack stream-status

logs: .venv/.run ## follow the logs: SERVICE=connect for one
	@$(RUN) stack logs $(SERVICE)

down: .venv/.run ## stop everything; data stays
	@$(RUN) stack down

reset: .venv/.run ## stop everything and delete its data (asks first)
	@$(RUN) stack reset

deploy: .venv/.run ## the cloud resources and the sink: to LocalStack, or with PIPELINE_ENV=aws to AWS (docs/cloud.md)
	@$(RUN) cloud deploy

check-cloud: .venv/.run ## what settings/aws.env lacks or contradicts, and what would be made on AWS
	@$(RUN) cloud check

mwaa-package: .venv/.run ## the DAG as MWAA wants it, in build/mwaa
	@$(RUN) cloud mwaa-package

destroy: .venv/.run ## delete all that `make deploy` made on AWS (asks first)
	@PIPELINE_ENV=aws $(RUN) cloud destroy

doctor: .venv/.run ## what this machine has, lacks, or has in the way
	@$(RUN) stack doctor

test: .venv/.test ## lint, unit, contract and integration tests, on a stack of their own
	@$(RUN) stack test $(ARGS)

lint: .venv/.test ## ruff, mypy, shellcheck, hadolint
	@$(RUN) stack lint
