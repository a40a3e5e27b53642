"""CSV and TSV: one writer, rows of queries, and lists of data diffs."""
