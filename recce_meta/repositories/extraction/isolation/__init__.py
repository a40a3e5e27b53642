"""Isolation of programs that run files of a repository: Docker, bubblewrap or a plain process."""
