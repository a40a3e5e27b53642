"""Column lineage of all nodes of a run."""
