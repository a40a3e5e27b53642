"""Reviews and notes in reports, and notices of commands."""
