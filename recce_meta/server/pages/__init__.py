"""Pages, one module for each kind: a handler reads the store and returns a Page or a Listing."""
