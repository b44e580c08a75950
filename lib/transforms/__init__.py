"""Reversible transforms: what is compressed already, taken apart into what can be modelled, and made again to the byte."""
