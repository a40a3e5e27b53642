"""Reviews in reports."""
