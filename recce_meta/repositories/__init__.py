"""Repositories that are connected once: their connections, jobs, isolation, and extraction."""
