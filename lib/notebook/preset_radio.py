"""The preset in words that people know, with how long each takes and how small the file may become."""

import ipywidgets

from lib.notebook.estimate import Outlook

WORDS = {"auto": "automatic", "fast": "quick", "balanced": "small", "best": "smallest"}
_MORE_WORDS = {"gpu": "the largest network, for a GPU", "network": "the network alone"}          # for who opens the options


class PresetRadio:
    """A radio button for each preset. `widget` holds the preset's name."""

    def __init__(self, initial: str) -> None:
        self.is_reworded = False           # while its options change, and its value with them for a moment
        self.offers_all = False
        self.widget = ipywidgets.RadioButtons(options=[(word, preset) for preset, word in (WORDS | _MORE_WORDS).items()], value=initial,
                                              layout={"width": "max-content"})
        self.say(None)

    def say(self, outlook: Outlook | None) -> None:
        """Say of each preset what an Outlook says of it."""
        options = tuple((_words(preset, word, outlook), preset) for preset, word in WORDS.items())
        if self.offers_all or self.widget.value in _MORE_WORDS:
            options += tuple((word, preset) for preset, word in _MORE_WORDS.items())
        if self.widget.options != options:
            chosen, self.is_reworded = self.widget.value, True
            self.widget.options = options                          # which chooses the first of them
            self.widget.value, self.is_reworded = chosen, False


def _words(preset, word, outlook):
    if not outlook:
        return word
    if preset == "auto":
        return f"{word}: {WORDS[outlook.taken]}, for this file" if outlook.why and outlook.taken in WORDS else word
    size = f", about {_size(outlook.sizes[preset])}" if preset in outlook.sizes else ""
    return f"{word}: about {outlook.duration_of(preset)}{size}"


def _size(count):
    return f"{count / 1e6:,.1f} MB" if count >= 1e6 else f"{count / 1e3:,.0f} KB" if count >= 1e4 else f"{count / 1e3:,.1f} KB"
