"""JupyterLab, Notebook 7 and Voila on loopback, and Debian's Chromium as a person in front of them."""

import contextlib
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from playwright.sync_api import TimeoutError, sync_playwright

ROOT = Path(__file__).parents[1]
NOTEBOOKS = ("compress.ipynb", "decompress.ipynb", "splitter.ipynb")
PICTURES = ROOT / "build" / "screenshots"
_SECONDS = int(os.environ.get("LAB_SECONDS", 240))                # for whatever a page waits for: a first run compiles
_CHROMIUM = ("--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking", "--disable-sync",
             "--no-first-run")


def chromium():
    """The path of a Chromium here, or None."""
    return shutil.which("chromium") or shutil.which("chromium-browser")


def workplace(folder):
    """A folder with the notebooks. Their kernels find the library where it is, so that what it has compiled is used again."""
    for name in (*NOTEBOOKS, "voila.json"):
        shutil.copy(ROOT / name, folder)
    quiet = folder / ".jupyter" / "lab" / "@jupyterlab" / "apputils-extension" / "notification.jupyterlab-settings"
    quiet.parent.mkdir(parents=True)
    quiet.write_text('{"fetchNews": "false", "checkForUpdates": false}')
    return folder


@contextlib.contextmanager
def lab(folder):
    """The address of a Jupyter server on a folder: JupyterLab, and Notebook 7."""
    port = _free_port()
    options = (f"--port={port}", "--no-browser", "--allow-root", "--IdentityProvider.token=", "--ServerApp.password=",
               f"--ServerApp.root_dir={folder}")
    with _served([sys.executable, "-m", "jupyterlab", *options], folder, f"http://127.0.0.1:{port}/lab"):
        yield f"http://127.0.0.1:{port}"


@contextlib.contextmanager
def app(folder):
    """The address of the notebooks as an app, without their code."""
    port = _free_port()
    with _served([sys.executable, "-m", "voila", f"--port={port}"], folder, f"http://127.0.0.1:{port}/"):
        yield f"http://127.0.0.1:{port}/voila/render"


@contextlib.contextmanager
def _served(command, folder, address):
    """A server that runs, in a folder, and answers at an address."""
    settings = {"JUPYTER_CONFIG_DIR": str(folder / ".jupyter"), "JUPYTERLAB_SETTINGS_DIR": str(folder / ".jupyter" / "lab"),
                "PYTHONPATH": str(ROOT)}
    with open(folder / "server.log", "wb") as log:
        server = subprocess.Popen(command, cwd=folder, stdout=log, stderr=subprocess.STDOUT, env={**os.environ, **settings})
    try:
        _wait_for(address, server, folder / "server.log")
        yield
    finally:
        server.terminate()
        server.wait(30)


def _wait_for(address, server, log):
    for _ in range(_SECONDS):
        if server.poll() is not None:
            break
        with contextlib.suppress(urllib.error.URLError, ConnectionError):
            urllib.request.urlopen(address, timeout=5).close()
            return
        time.sleep(1)
    raise RuntimeError(f"no server at {address}: {log.read_text()[-2000:]}")


def _free_port():
    with socket.socket() as any_socket:
        any_socket.bind(("127.0.0.1", 0))
        return any_socket.getsockname()[1]


@contextlib.contextmanager
def browser():
    """A Chromium without a window."""
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium(), args=_CHROMIUM)
        yield opened
        opened.close()


class Person:
    """Somebody in front of a page."""

    def __init__(self, opened, size=(1440, 900)):
        self.page = opened.new_page(viewport=dict(zip(("width", "height"), size)))
        self.page.set_default_timeout(1000 * _SECONDS)
        self._downloads = []
        self.page.on("download", lambda coming: self._downloads.append(coming))
        self.page.on("dialog", lambda dialog: dialog.accept())          # of a page with changes that is left

    def open(self, address):
        """Open a notebook, without what the last one left open."""
        self.page.goto(f"{address}?reset")
        self.page.wait_for_selector(".jp-Notebook .jp-Cell")
        self.page.wait_for_selector(".jp-KernelName:has-text('Python 3')")                      # before, it says "No Kernel"
        self.page.wait_for_selector(".jp-Notebook-ExecutionIndicator[data-status='idle']")

    def run_all(self):
        self.page.get_by_role("menuitem", name="Run", exact=True).click()
        self.page.get_by_role("menuitem", name="Run All Cells", exact=True).click()

    def save(self):
        self.page.keyboard.press("Control+s")
        self.page.wait_for_timeout(2_000)

    def reload(self, without_kernel=False):
        """Load the page anew; without_kernel: as one that was closed, and whose kernel has ended."""
        if without_kernel:
            self.page.get_by_role("menuitem", name="Kernel", exact=True).click()
            self.page.get_by_role("menuitem", name="Shut Down Kernel", exact=True).click()
            self.page.wait_for_timeout(2_000)
        self.open(self.page.url.partition("?")[0])

    def choose(self, preset):
        """Choose a preset by the word that it has in the form."""
        self.page.locator("label").get_by_text(re.compile(f"^{preset}(:|$)")).last.click()

    def is_in_sight(self, text):
        """Whether the last element with a text is in the part of the page that a person sees."""
        box = self.page.get_by_text(text).last.bounding_box()
        return box is not None and 0 <= box["y"] and box["y"] + box["height"] <= self.page.viewport_size["height"]

    def fill_in(self, field, value):
        """Type a value into a field of the form, or choose it from its list."""
        shown = self.page.get_by_label(field, exact=True)
        if shown.evaluate("element => element.tagName") == "SELECT":
            shown.select_option(value)
        else:
            shown.fill(value)
            shown.press("Tab")

    def unfold(self, title):
        self.page.get_by_text(title, exact=True).click()

    def upload(self, path):
        """Choose a file in the form."""
        with self.page.expect_file_chooser() as chooser:
            self.page.get_by_role("button", name="Choose a file").click()
        chooser.value.set_files(path)

    def press(self, name):
        self.page.locator(f'button.jupyter-button:has-text("{name}"):not(.widget-upload)').click()

    def sees(self, text):
        """Wait until a text is there."""
        self.page.get_by_text(text).last.wait_for()

    def download(self, name, folder):
        """Download a file by its link; returns where it is. A link that moved under the click is clicked again."""
        for _ in range(10):
            with contextlib.suppress(TimeoutError):
                with self.page.expect_download(timeout=100 * _SECONDS) as coming:
                    self.page.locator(f'a[download="{name}"]').last.click()
                coming.value.save_as(folder / name)
                return folder / name
        raise AssertionError(f"no download of {name}")

    def receives(self, name, folder):
        """Wait until the browser has been given a file of that name, without a click; returns where it is."""
        for _ in range(5 * _SECONDS):
            for coming in self._downloads:
                if coming.suggested_filename == name:
                    coming.save_as(folder / name)
                    return folder / name
            self.page.wait_for_timeout(200)
        raise AssertionError(f"no download of {name}")

    def picture(self, name, below=None):
        """Keep a screenshot of the page; below: of the part of the notebook that begins with that text."""
        PICTURES.mkdir(parents=True, exist_ok=True)
        if below:
            self.page.get_by_text(below).last.evaluate("element => element.scrollIntoView()")
        self.page.screenshot(path=PICTURES / f"{name}.png", clip=self._notebook())

    def _notebook(self):
        """The box of the notebook in the page; None where there is nothing around it."""
        panel = self.page.locator(".jp-NotebookPanel-notebook")
        return panel.first.bounding_box() if panel.count() else None
