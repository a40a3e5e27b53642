"""Comparison of the data of two relations or queries: plans that yield queries and receive rows."""
