"""Lineage graphs on pages: the part of a page with a graph, its tables, and their addresses."""
