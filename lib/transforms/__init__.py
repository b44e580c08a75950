"""Reversible transforms: what other programs have compressed is laid open, and made again to the last bit."""
