"""Answers about a store for pages, the JSON API and editors: one module per subject."""
