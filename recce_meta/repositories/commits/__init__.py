"""Commits of jobs: heads of branches and pull requests, merge bases, and files of the repository."""
