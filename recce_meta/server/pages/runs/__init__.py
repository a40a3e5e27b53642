"""Pages of runs, of the differences between two, of checks, and of data diffs."""
