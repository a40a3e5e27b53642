"""Column lineage: of one query, and of a whole project."""
