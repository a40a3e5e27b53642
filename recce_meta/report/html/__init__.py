"""Everything about a change on one page: one HTML file that opens offline and asks nothing of a network."""
