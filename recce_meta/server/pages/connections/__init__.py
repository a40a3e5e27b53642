"""Pages of connected repositories below `/connections`."""
