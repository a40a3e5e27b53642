"""The version of recce_meta: the one place it is written."""

__version__ = "0.1.1.dev0"
