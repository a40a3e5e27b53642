"""Features of the language server: each answers from the view of a text."""
