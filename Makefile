# Everything the project needs is installed here, once: .venv is made anew when its inputs change.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
INSTALLED := .venv/.installed
unexport PYTHONDONTWRITEBYTECODE  # or each worker of pytest would compile all tests anew, each time

.DEFAULT_GOAL := help
.PHONY: help install demo test test-fast test-acceptance test-simulation test-browser test-deploy test-keystone test-postgresql test-fleet simulate plants bench bench-fleet docs lint format schema sbom screenshots mail-pictures constraints clean

help:  ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(INSTALLED): pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --group dev --group docs --editable '.[apprise,calendar,fleet]'
	$(BIN)/python -m compileall -q daemon  # or the first command of all would do it, and take a second longer
	@touch $@

install: $(INSTALLED)  ## make .venv and install everything into it

demo: $(INSTALLED)  ## a simulated cloud and a whole sweep against it, to look at
	@$(BIN)/nbsweep demo

test: $(INSTALLED)  ## all tests but those that need programs from Debian
	$(BIN)/python -m pytest --numprocesses 4 --dist worksteal --durations 20  # most of the acceptance tests wait for something

test-fast: $(INSTALLED)  ## unit and contract tests
	$(BIN)/python -m pytest --numprocesses 2 --dist worksteal tests/unit tests/contract

test-acceptance: $(INSTALLED)  ## the real command over real HTTP against the simulated cloud
	$(BIN)/python -m pytest --numprocesses 4 --dist worksteal tests/acceptance

test-simulation: $(INSTALLED)  ## some seeds of the simulation, and the planted bugs
	$(BIN)/python -m pytest --numprocesses 2 --dist worksteal tests/simulation

test-browser: $(INSTALLED)  ## the pages of serve in Chromium, which is installed from Debian
	@tests/browser/bring-browser $(BIN)
	$(BIN)/python -m pytest --numprocesses 2 --dist worksteal tests/browser  # each with a browser and services of its own

test-postgresql: $(INSTALLED)  ## the journal on a PostgreSQL server, which is started for it
	@tests/postgresql/bring-server
	$(BIN)/python -m pytest --numprocesses 4 --dist worksteal tests/postgresql  # each with a server of its own

test-fleet: $(INSTALLED)  ## fleets of real processes, on PostgreSQL, killed and stopped (FULL=1: twenty seeds, and stops of 90 s; takes an hour)
	@tests/fleet/bring-tools
	$(if $(FULL),NBSWEEP_TEST_FLEET_FULL=1 )$(BIN)/python -m pytest --numprocesses 4 --dist worksteal tests/fleet  # most of them wait for something

test-keystone: $(INSTALLED)  ## logins and tokens with a real OpenStack Keystone, which is installed from PyPI and started for it
	@tests/keystone/bring-server $(PYTHON)
	$(BIN)/python -m pytest tests/keystone

test-deploy: $(INSTALLED)  ## what is in deploy/, judged by systemd, promtool, helm, the schemas of Kubernetes and Compose, and hadolint
	@tests/deploy/bring-tools $(BIN)
	$(BIN)/python -m pytest --numprocesses 2 --dist worksteal tests/deploy

simulate: $(INSTALLED)  ## sweeps on a misbehaving cloud in virtual time (SEEDS=10000, SEED=1234 with all that happens in it, OF=people, OF=past or OF=nights)
	PYTHONPATH=tests $(BIN)/python -m simulation$(if $(OF),.$(OF)) $(if $(SEED),--seed $(SEED),--seeds $(or $(SEEDS),10000))

plants: $(INSTALLED)  ## hunt for the first seed that catches each planted bug (OF=people, OF=past); takes minutes
	PYTHONPATH=tests $(BIN)/python -m simulation.hunt $(or $(OF),sweeps)

bench-fleet: $(INSTALLED)  ## one worker beside eight, with 64 simulated accounts on PostgreSQL from Debian (ARGS=--units: what each account and notebook costs)
	@tests/postgresql/bring-server
	PYTHONPATH=tests $(BIN)/python -m bench.fleet $(ARGS)

bench: $(INSTALLED)  ## nbsweep beside the textbook alternative, and the targets held against it (ARGS=--help)
	PYTHONPATH=tests $(BIN)/python -m bench $(ARGS)

docs: $(INSTALLED)  ## the documentation as a site in docs/_build, with strict links
	$(BIN)/python -m sphinx --fail-on-warning --keep-going --quiet -b dirhtml docs docs/_build
	$(BIN)/python docs/check_site.py docs/_build

lint: $(INSTALLED)  ## ruff, mypy and the import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(INSTALLED)  ## let ruff lay out the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

schema: $(INSTALLED)  ## write config/nbsweep.schema.json and the pages of configuration keys and simulator options, and the manual page from the code
	$(BIN)/nbsweep schema > config/nbsweep.schema.json
	$(BIN)/python docs/configuration_page.py
	$(BIN)/python docs/simulator_page.py
	$(BIN)/python docs/man_page.py

sbom: $(INSTALLED)  ## write daemon/nbsweep.cdx.json, the wheel's bill of materials, anew
	$(BIN)/python deploy/sbom.py

screenshots: $(INSTALLED)  ## write the pictures of the demo, of a back-test and of the pages anew
	$(BIN)/nbsweep demo --svg docs/demo.svg
	PYTHONPATH=tests $(BIN)/python -m acceptance.try_policy_picture
	@tests/browser/bring-browser $(BIN)
	$(BIN)/python docs/take_pictures.py

mail-pictures: $(INSTALLED)  ## take pictures of the messages as mail programs show them (OUT=build/mail)
	@tests/browser/bring-browser $(BIN)
	$(BIN)/python tests/mail/pictures.py $(or $(OUT),build/mail)

constraints:  ## pin the newest versions that fit together
	rm -rf .venv && $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --group dev --group docs --group browser --editable '.[apprise,calendar,fleet]'
	$(BIN)/python -m pip freeze --exclude-editable | grep -E '^[A-Za-z0-9._-]+==' > constraints.txt
	$(BIN)/python deploy/sbom.py
	@touch $(INSTALLED)

clean:  ## remove what was installed and cached
	rm -rf .venv .venv-keystone .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
