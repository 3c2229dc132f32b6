# TFPS: `make help` lists the targets. CARGO_TARGET_DIR is respected; ARGS is handed on.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help setup run demo test evaluate publish bench check build

CARGO ?= cargo
ARGS ?=
# A comma in an argument of call.
, := ,

# Where cargo puts the program, whatever was configured.
program = $$($(CARGO) metadata --no-deps --format-version 1 --offline 2>/dev/null \
	| sed 's/.*"target_directory":"\([^"]*\)".*/\1/')/release/tfps

say = @printf '\n== %s\n' "$(1)"

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 10

setup: ## install whatever is missing for run, demo and test
	$(call say,setup: what is missing is installed)
	@scripts/setup

build: ## the optimised program
	$(call say,build: the first time takes some minutes)
	@$(CARGO) build --release --locked

run: ## set up, build, and answer calls (ARGS: options of tfps serve)
	$(call say,setup: a C compiler and libchdb if they are missing)
	@scripts/setup run
	@$(MAKE) --no-print-directory build
	$(call say,run: tfps serve; everything it writes is in ./data)
	@exec "$(program)" serve $(ARGS)

demo: ## set up, build, and tell the whole story in the terminal
	$(call say,setup: a C compiler$(,) curl and libchdb if they are missing)
	@scripts/setup demo
	@$(MAKE) --no-print-directory build
	$(call say,demo: everything it writes is in ./data-demo)
	@scripts/demo "$(program)" $(ARGS)

test: ## set up and run every test, with the real Kamailio, SIPp and baresip (ARGS: options of cargo test)
	$(call say,setup: Kamailio$(,) SIPp$(,) baresip$(,) tor-geoipdb and libchdb if they are missing)
	@scripts/setup test
	$(call say,test: the first time builds for some minutes$(,) then it takes about ten)
	@$(CARGO) test --locked $(ARGS)

# The card's figures, from seeds alone; other learners work in their own environment. Several operators,
# so that each innocent surprise is met more than once, and more attacks than usual, so that each family
# has several.
SCALE ?= --operators 4 --subscribers 250 --tenants 8 --days 56 --attacks-per-day 2
judge = "$(program)" evaluate $(SCALE) --exchange "$$exchange" \
	--peers "$${TFPS_PEERS:-target/peers}/bin/python scripts/peers/peers.py" --out target/evaluation

evaluate: ## measure detection beside its peers, and compare with the card of the default model
	$(call say,setup: Python and the learners of scripts/peers/requirements.txt if they are missing)
	@scripts/setup evaluate
	@$(MAKE) --no-print-directory build
	$(call say,evaluate: an hour of processor time; everything is written into target/evaluation)
	@exchange=$$(mktemp -d); trap 'rm -rf "$$exchange"' EXIT; \
		$(judge) --check models/default.card.md $(ARGS)

publish: ## the same, and write the default model and its card anew
	@scripts/setup evaluate
	@$(MAKE) --no-print-directory build
	$(call say,publish: models/default.json and models/default.card.md)
	@exchange=$$(mktemp -d); trap 'rm -rf "$$exchange"' EXIT; $(judge) --publish models $(ARGS)

bench: ## measure
	$(call say,setup: a C compiler and libchdb if they are missing)
	@scripts/setup run
	$(call say,bench: each step of a decision)
	@$(CARGO) bench --locked $(ARGS)
	@if [ -x scripts/bench ]; then \
		$(MAKE) --no-print-directory build && scripts/bench "$(program)"; \
	fi

check: ## formatting, lints, documentation; all warnings are errors
	$(call say,check: formatting)
	@$(CARGO) fmt --check
	$(call say,check: lints)
	@$(CARGO) clippy --locked --all-targets -- -D warnings
	$(call say,check: documentation)
	@RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --no-deps
