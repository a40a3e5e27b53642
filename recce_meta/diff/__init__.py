"""Differences between two runs, computed without I/O."""
