"""The contexts of each kind of data: a module each, over the one engine of lib.mixing. lib.kinds lists the kinds."""

from importlib import import_module

from lib.kinds import BY_STORED_NAME
from lib.mixing.kinds.context_set import ContextSet


def context_set(stored_name: str) -> ContextSet:
    """The lib.mixing.kinds.context_set.ContextSet of a kind, by its name in file headers."""
    return import_module(BY_STORED_NAME[stored_name].module).CONTEXTS
