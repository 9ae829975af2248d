# Thin on purpose: what is done stands in tools/ and lab/, where it is tested.
.DEFAULT_GOAL := help
.PHONY: up down check test test-chat test-fleet test-kubernetes test-aws test-monitoring test-logging bench dashboards molecule lint format env help

BIN := .venv/bin
PYTHON := $(BIN)/python
# Ansible and Molecule start further programs by name.
export PATH := $(CURDIR)/$(BIN):$(PATH)
export LC_ALL ?= C.UTF-8
# Settings of the lab; empty ones are not passed on.
ifdef LAB_APP_HOSTS
export LAB_APP_HOSTS
endif
ifdef LAB_LOG_HOSTS
export LAB_LOG_HOSTS
endif
ifdef LAB_KUBERNETES
export LAB_KUBERNETES
endif
ifdef LAB_SUBNET
export LAB_SUBNET
endif

up: env ## Everything: tools, lab, site.yml; ends with what runs where (LAB_APP_HOSTS=10 for more hosts, LAB_LOG_HOSTS=1 for logs)
	@$(PYTHON) -m tools.up

down: env ## Take the lab away (PURGE=1: also its images, mirror and secrets)
	@$(PYTHON) -m lab down $(if $(PURGE),--purge)

check: env ## Lint, types and unit tests, side by side
	@$(PYTHON) -m tools.suites check

test: env ## Everything the project can prove about itself (SUITES="engine lab" for some)
	@$(PYTHON) -m tools.suites test $(SUITES)

test-kubernetes: env ## Charts, rollouts on a simulated cluster, and a real cluster of three hosts
	@$(PYTHON) -m tools.suites kubernetes

test-aws: env ## Terraform against a stand-in for AWS: modules, plans, apply, drift, destroy, faults
	@$(PYTHON) -m tools.suites aws

test-chat: env ## All about the application: its own tests, browsers, images, load (brings the lab up)
	@$(PYTHON) -m tools.suites chat

test-fleet: env ## Whole operations on fleets of short-lived hosts: rollouts, drift, uninstall
	@$(PYTHON) -m tools.suites fleet

test-monitoring: env ## Rules, routes, messages and live faults with their alerts
	@$(PYTHON) -m tools.suites monitoring

test-logging: env ## Logs: Elasticsearch, Loki, shippers, and faults on a fleet with a hundred thousand lines each
	@$(PYTHON) -m tools.suites logging

bench: env ## Measure against the limits, update docs/benchmarks.md (BENCH="--cold" includes a cold start)
	@$(PYTHON) -m tools.bench $(BENCH)

dashboards: env ## Write what Grafana and Kibana show from the definitions in tools/dashboards and tools/saved_objects
	@$(PYTHON) -m tools.dashboards
	@$(PYTHON) -m tools.saved_objects

molecule: env ## Molecule's default scenario: one host, all host roles (SCENARIO=base for another)
	@MOLECULE_COMMAND_BORDERS=0 $(BIN)/molecule test --scenario-name $(or $(SCENARIO),default)

lint: env ## The linters alone
	@$(PYTHON) -m tools.suites lint

format: env ## Put Python code into shape
	@$(BIN)/ruff check --fix --quiet . || true
	@$(BIN)/ruff format .

env: ## The locked Python environment .venv (made by every other target, too)
	@tools/bootstrap

help: ## This list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' Makefile | while IFS='|' read -r name text; do \
		printf '%-17s%s\n' "$$name" "$$text"; done
