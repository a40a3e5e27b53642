"""Configuration of a project: defaults of options, and settings of nodes."""
