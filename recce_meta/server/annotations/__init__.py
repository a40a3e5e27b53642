"""Notes, tags and owners on the pages."""
