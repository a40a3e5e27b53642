"""Results of data diffs as text and Markdown."""
