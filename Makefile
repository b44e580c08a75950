# Every target but zip sets up .venv first when it is needed.
#   make setup | lint | test | demo [FILE=path] | lab | app | zip | notebooks | pictures | clean

PYTHON ?= $(firstword $(foreach name,python3.13 python3.12 python3.11 python3 python,\
	$(if $(shell $(name) -c 'import sys, ensurepip; assert (3, 11) <= sys.version_info < (3, 14)' 2>/dev/null && echo yes),$(name))))
RUN = .venv/bin/python

# Uploads come through the notebook's own connection, which takes 10 MB at once unless told otherwise.
# voila.json says the same for the app.
UPLOADS = {'websocket_max_message_size': 1073741824}

.PHONY: setup browser lint test demo lab app zip pictures notebooks clean

setup: .venv/ready

.venv/ready: requirements.txt requirements-dev.txt
	@test -n "$(PYTHON)" || { echo "Python 3.11, 3.12 or 3.13 with its venv module is needed (Debian: python3-venv); name one with make PYTHON=path" >&2; exit 1; }
	$(PYTHON) -m venv .venv
	$(RUN) -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	touch .venv/ready

# Debian's Chromium, for the tests of the notebooks in a browser, which are skipped without one.
browser:
	@{ command -v chromium || command -v chromium-browser; } >/dev/null || test "$$(id -u)" != 0 || ! command -v apt-get >/dev/null \
		|| { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core >/dev/null; } \
		|| echo "Chromium could not be installed: the tests in a browser are skipped" >&2

lint: setup
	$(RUN) -m ruff check .
	$(RUN) -m mypy

test: lint browser
	$(RUN) -m pytest -n auto --maxprocesses=4 --dist=worksteal

demo: setup
	@$(RUN) -m tools.demo $(if $(FILE),"$(FILE)")

lab: setup
	$(RUN) -m jupyterlab --ServerApp.tornado_settings="$(UPLOADS)" $(if $(filter 0,$(shell id -u)),--allow-root)

app: setup
	@echo "compress:   http://localhost:8866/voila/render/compress.ipynb"
	@echo "decompress: http://localhost:8866/voila/render/decompress.ipynb"
	@echo "splitter:   http://localhost:8866/voila/render/splitter.ipynb"
	$(RUN) -m voila

pictures: setup browser
	$(RUN) -m pytest tests/test_browser.py -k JupyterLab
	$(RUN) -m tools.pictures

# The project in one file, for Colab; needs nothing but Python.
zip:
	$(PYTHON) -m tools.make_zip

notebooks: setup
	$(RUN) -m tools.build_notebooks

clean:
	rm -rf .venv build .pytest_cache .hypothesis .mypy_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
