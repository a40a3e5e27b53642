"""What data diffs answer, as text for a terminal, as JSON and as Markdown."""
