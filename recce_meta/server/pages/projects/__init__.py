"""Pages of a whole store: the overview, projects, their quality, and the search."""
