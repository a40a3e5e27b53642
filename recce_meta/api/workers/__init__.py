"""Analysis of queries on all processors: worker programs, and the pool that speaks to them over pipes."""
