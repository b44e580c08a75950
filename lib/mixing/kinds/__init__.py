"""The contexts of each kind of data: a module each, over the one engine of lib.mixing. lib.kinds lists the kinds."""

from importlib import import_module

from lib.kinds import BY_STORED_NAME


def context_set(stored_name):
    """The lib.mixing.kinds.context_set.ContextSet of a kind, by its name in file headers."""
    return import_module(BY_STORED_NAME[stored_name].module).CONTEXTS
