"""Server of `recce-meta serve`: the stores as web pages and as a JSON API. Requires the extra `server`."""
