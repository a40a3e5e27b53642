"""Checks of a project: files of checks, and what each check expects."""
