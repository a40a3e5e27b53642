"""Reading of the SQL in a template: its tags, its parts, and the positions of its names."""
