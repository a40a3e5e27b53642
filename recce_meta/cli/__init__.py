"""The command line: one file per group of commands; click and nothing else."""
