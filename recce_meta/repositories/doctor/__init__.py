"""Checks of what a server and its workers need: `doctor --server`."""
