"""Where what a notebook shows goes: into the cell that runs, or below a form whose cell has ended long ago.

What is shown is ordinary output of a cell, HTML and PNG, which a saved notebook keeps, as it keeps no widget.
"""

import base64
import contextlib
import secrets
import threading
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

from IPython.display import display

from lib.notebook import host

_SLOTS = 8                 # outputs below a form; what is HTML and follows HTML goes into one
_SECONDS_OF_SCRIPT = 1.0         # which stays so long in the page
_EMPTY = {"text/html": "", "text/plain": ""}


def show(html: str, text: str) -> None:
    """Show HTML, and a plain text for what cannot."""
    _show({"text/html": html, "text/plain": text}, {})


def show_picture(png: bytes, width: int) -> None:
    """Show the bytes of a PNG picture, so many pixels wide."""
    _show({"image/png": base64.b64encode(png).decode(), "text/plain": "a picture"}, {"image/png": {"width": width}})


def run_script(code: str) -> None:
    """Let the page that shows a form run JavaScript, once; elsewhere nothing happens."""
    place = _place.get()
    if place:
        place.run_script(code)


def _show(bundle, metadata):
    place = _place.get()
    if place:
        place.show(bundle, metadata)
    else:
        display(bundle, metadata=metadata, raw=True)


_place: ContextVar["Below | None"] = ContextVar("place", default=None)


class Below:
    """A place below a form: made while its cell runs, and filled at any later time, from any thread."""

    def __init__(self) -> None:
        self._shown: list[dict[str, Any]] = []
        self._ids = [f"lockstep-{secrets.token_hex(8)}" for _ in range(_SLOTS + 1)]         # and one for a script
        self._box: Any = None              # in the app, which knows no outputs but those that its page began with
        if host.is_app():
            import ipywidgets
            self._box = ipywidgets.Box(layout={"flex_flow": "row wrap", "align_items": "flex-start"})      # two columns where there is room
            display(self._box)
        else:
            for name in self._ids:
                display(_EMPTY, raw=True, display_id=name)

    @contextlib.contextmanager
    def active(self) -> Iterator[None]:
        """Inside, in this thread, all that is shown goes here."""
        token = _place.set(self)
        try:
            yield
        finally:
            _place.reset(token)

    def clear(self) -> None:
        """Take away what was shown."""
        if self._box:
            self._box.children = ()
        else:
            for number in range(len(self._shown)):
                self._put(number, _EMPTY, {})
        self._shown = []

    def show(self, bundle: dict[str, Any], metadata: dict[str, Any]) -> None:
        """Show what `show` and `show_picture` make."""
        last = self._shown[-1] if self._shown else {}
        if "text/html" in bundle and "text/html" in last:
            bundle = {kind: last[kind] + "\n" + bundle[kind] for kind in ("text/html", "text/plain")}
            self._shown[-1] = bundle
        elif len(self._shown) < _SLOTS:
            self._shown.append(bundle)
        self._put(len(self._shown) - 1, bundle, metadata)

    def run_script(self, code: str) -> None:
        """See the function. The script is taken away again, so that no saved notebook has it."""
        if not self._box:
            self._put(_SLOTS, {"application/javascript": code, "text/plain": ""}, {})
            threading.Timer(_SECONDS_OF_SCRIPT, self._put, (_SLOTS, _EMPTY, {})).start()

    def _put(self, number, bundle, metadata):
        if self._box:
            shown = self._box.children
            self._box.children = (*shown[:number], _widget(bundle, metadata), *shown[number + 1:])
        else:
            display(bundle, metadata=metadata, raw=True, display_id=self._ids[number], update=True)


def _widget(bundle, metadata):
    import ipywidgets
    if "image/png" in bundle:
        return ipywidgets.Image(value=base64.b64decode(bundle["image/png"]), format="png",
                                layout={"width": f"{metadata['image/png']['width']}px", "max_width": "100%"})
    return ipywidgets.HTML(bundle["text/html"], layout={"flex": "1 1 600px", "min_width": "0"})
