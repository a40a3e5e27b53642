"""Text of an editor: its template, its query, and the positions of both."""
