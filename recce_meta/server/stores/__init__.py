"""Open stores, what is kept of them in memory, and running queries."""
