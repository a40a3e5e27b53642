"""The figures of docs/internals/benchmarks.md, measured by `python -m benchmarks.run`."""
