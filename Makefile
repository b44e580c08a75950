# Every target sets up .venv first when it is needed.
#   make setup | test | demo [FILE=path] | lab | notebooks | clean

PYTHON ?= $(firstword $(foreach name,python3.13 python3.12 python3.11 python3 python,\
	$(if $(shell $(name) -c 'import sys, ensurepip; assert (3, 11) <= sys.version_info < (3, 14)' 2>/dev/null && echo yes),$(name))))
RUN = .venv/bin/python

.PHONY: setup test demo lab notebooks clean

setup: .venv/ready

.venv/ready: requirements.txt requirements-dev.txt
	@test -n "$(PYTHON)" || { echo "Python 3.11, 3.12 or 3.13 with its venv module is needed (Debian: python3-venv); name one with make PYTHON=path" >&2; exit 1; }
	$(PYTHON) -m venv .venv
	$(RUN) -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	touch .venv/ready

test: setup
	$(RUN) -m pytest

demo: setup
	@$(RUN) -m tools.demo $(if $(FILE),"$(FILE)")

lab: setup
	$(RUN) -m jupyterlab $(if $(filter 0,$(shell id -u)),--allow-root)

notebooks: setup
	$(RUN) -m tools.build_notebooks

clean:
	rm -rf .venv build .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
