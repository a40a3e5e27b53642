"""The page that reviews the diff of two runs."""
