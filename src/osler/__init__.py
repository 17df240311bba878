"""Osler: learn from labelled medical images, read studies, and say how sure."""

__version__ = "0.1.0"
