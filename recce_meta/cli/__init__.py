"""Command line interface: one module per group of commands, built on click alone."""
