"""Data diffs of the nodes of two runs: their jobs, execution and stored statistics."""
