"""How fast, how small: the figures of docs/benchmarks.md, measured again by `python -m benchmarks.run`."""
